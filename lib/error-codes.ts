/** The table of all error codes. One entry a code; alphabetical; never renamed, never reused. */
export type Recovery = 'fatal' | 'retriable' | 'row';

/** What an officer reads: Chinese first, English beside it. */
interface ErrorWords {
  zh: string;
  en: string;
}

interface ErrorCodeEntry {
  status: number;
  recovery: Recovery;
  title: ErrorWords;
  hint: ErrorWords;
}

const define = <K extends string>(table: Record<K, ErrorCodeEntry>): Record<K, ErrorCodeEntry> => table;

export const errorCodes = define({
  ARROW_INVALID: {
    status: 422,
    recovery: 'fatal',
    title: { zh: 'Arrow 数据无效', en: 'Invalid Arrow data' },
    hint: { zh: '重新生成该分片', en: 'Produce the part again; the file is not valid Arrow IPC.' },
  },
  AUDIT_CORRUPT: {
    status: 503,
    recovery: 'fatal',
    title: { zh: '审计日志损坏', en: 'The audit log contradicts itself' },
    hint: {
      zh: '停止写入，从备份恢复并核查',
      en: 'Nothing is signed or read until the tables log_state, log_entry and log_tile are restored to agree.',
    },
  },
  AUDIT_LEAF_INVALID: {
    status: 500,
    recovery: 'fatal',
    title: { zh: '审计条目不合规', en: 'The audit leaf is not valid' },
    hint: {
      zh: '报告程序缺陷',
      en: 'A defect of the program that wrote it: see schemas/document/audit-leaf.json, and report it.',
    },
  },
  AUDIT_REGRESSION: {
    status: 503,
    recovery: 'fatal',
    title: { zh: '审计日志倒退', en: 'The audit log went backwards' },
    hint: {
      zh: '数据库早于已签名的日志头；由人决定如何恢复',
      en: 'The database is older than a head already signed, or differs from it (a restored backup?). Restore the newer state; nothing is signed until a person decides.',
    },
  },
  AUDIT_UNAVAILABLE: {
    status: 503,
    recovery: 'retriable',
    title: { zh: '审计日志暂不可写', en: 'The audit log cannot be written now' },
    hint: {
      zh: '稍后重试；未记录则不放行',
      en: 'Try again shortly. What cannot be recorded is refused; the attempt itself may or may not be in the log.',
    },
  },
  AUDIT_VERIFY_FAILED: {
    status: 422,
    recovery: 'fatal',
    title: { zh: '审计核验不通过', en: 'Audit verification failed' },
    hint: {
      zh: '保留证据并报告审计管理员',
      en: 'Keep the files as they are and tell the audit administrator: the proof, receipt or export is not what was signed.',
    },
  },
  CANCELLED: {
    status: 409,
    recovery: 'fatal',
    title: { zh: '已取消', en: 'Cancelled' },
    hint: { zh: '需要时重新发起', en: 'Start it again when it is wanted.' },
  },
  CATALOG_UNREACHABLE: {
    status: 503,
    recovery: 'retriable',
    title: { zh: '无法连接目录数据库', en: 'The catalog’s database cannot be reached' },
    hint: { zh: '检查目录数据库的地址、用户和运行状态', en: 'Check that PostgreSQL runs, its address, and the user.' },
  },
  COLUMN_NOT_GRANTED: {
    status: 404,
    recovery: 'fatal',
    title: { zh: '列不存在或未获授权', en: 'Column not found' },
    hint: {
      zh: '检查列名，或申请该列',
      en: 'Check the column’s name, or request it: what you may not see looks the same.',
    },
  },
  CONFIG_INVALID: {
    status: 500,
    recovery: 'fatal',
    title: { zh: '配置无效', en: 'Invalid configuration' },
    hint: { zh: '更正所指的配置项', en: 'Correct the setting that is named; unknown settings are errors too.' },
  },
  CONTRACT_INVALID: {
    status: 422,
    recovery: 'fatal',
    title: { zh: '数据契约无效', en: 'Invalid contract' },
    hint: {
      zh: '更正所指的关键字',
      en: 'Correct the keyword that is named; the keywords of a contract are in docs/reference/contracts.md.',
    },
  },
  CONTRACT_MISMATCH: {
    status: 422,
    recovery: 'fatal',
    title: { zh: '数据契约与来源不符', en: 'Contract does not fit the source' },
    hint: {
      zh: '修改数据契约或所选的列',
      en: 'Change the contract or the columns that are read: docs/reference/json-image.md tells how each type looks.',
    },
  },
  CONTRACT_RECHECK_FAILED: {
    status: 422,
    recovery: 'fatal',
    title: { zh: '复核未通过契约', en: 'Recheck against the contract failed' },
    hint: {
      zh: '不要发布；检查该部门工作进程的版本',
      en: "Nothing was published. What the department's worker staged breaks its own contract: check that worker's release.",
    },
  },
  DIGEST_MISMATCH: {
    status: 422,
    recovery: 'retriable',
    title: { zh: '摘要不符', en: 'Digest mismatch' },
    hint: {
      zh: '自动重新上传',
      en: 'Send the object again: it was cut short or changed on its way.',
    },
  },
  ENCODING: {
    status: 422,
    recovery: 'fatal',
    title: { zh: '文本编码无效', en: 'Invalid text encoding' },
    hint: {
      zh: '使用 UTF-8，去除不可见控制字符',
      en: 'Write it in UTF-8, without NUL, lone surrogates and bidirectional controls.',
    },
  },
  FENCED: {
    status: 409,
    recovery: 'fatal',
    title: { zh: '已被更新的运行取代', en: 'Fenced by a newer run' },
    hint: { zh: '无需处理，较新的运行继续', en: 'Nothing to do: a newer run or generation owns this dataset now.' },
  },
  FORBIDDEN: {
    status: 403,
    recovery: 'fatal',
    title: { zh: '角色无此权限', en: 'Not allowed for this role' },
    hint: { zh: '向管理员申请相应角色', en: 'Ask an administrator for the role that this action needs.' },
  },
  ID_MUST_BE_STRING: {
    status: 422,
    recovery: 'fatal',
    title: { zh: '证件号必须是字符串', en: 'An identifier must be a string' },
    hint: {
      zh: '给号码加上引号',
      en: 'Put the identifier in quotes: as a number it loses digits.',
    },
  },
  INTERNAL: {
    status: 500,
    recovery: 'retriable',
    title: { zh: '内部错误', en: 'Internal error' },
    hint: { zh: '把请求编号报给运维人员', en: 'Give the request id to the operator; the log has the cause.' },
  },
  JSON_AMBIGUOUS: {
    status: 422,
    recovery: 'fatal',
    title: { zh: 'JSON 含义不明确', en: 'JSON with more than one meaning' },
    hint: {
      zh: '去除重复成员',
      en: 'Write each member once, without __proto__, and numbers with at most 15 digits.',
    },
  },
  JSON_INVALID: {
    status: 422,
    recovery: 'fatal',
    title: { zh: 'JSON 无效', en: 'Invalid JSON' },
    hint: {
      zh: '更正所指的位置',
      en: 'Correct the JSON at the place that is named.',
    },
  },
  NOT_FOUND: {
    status: 404,
    recovery: 'fatal',
    title: { zh: '不存在或无权访问', en: 'Not found' },
    hint: {
      zh: '检查名称，或申请授权',
      en: 'Check the name, or request a grant: what you may not see looks the same.',
    },
  },
  OBJECT_CORRUPT: {
    status: 500,
    recovery: 'fatal',
    title: { zh: '存储对象已损坏', en: 'A stored object is corrupt' },
    hint: {
      zh: '从备份恢复该对象；已移入隔离目录',
      en: "Restore the object from a backup; the damaged copy was moved to the store's quarantine.",
    },
  },
  OBJECT_MISSING: {
    status: 503,
    recovery: 'retriable',
    title: { zh: '存储对象缺失', en: 'A stored object is missing' },
    hint: {
      zh: '检查对象存储，并从备份恢复',
      en: 'Check the object store, and restore the object from a backup if it stays missing.',
    },
  },
  OBJECT_TOO_LARGE: {
    status: 413,
    recovery: 'fatal',
    title: { zh: '对象过大', en: 'Object too large' },
    hint: { zh: '把数据分成更小的分片', en: 'Split it: parts are cut by rows and by bytes, see the limits.' },
  },
  PUBLISH_GUARD: {
    status: 409,
    recovery: 'fatal',
    title: { zh: '发布保护', en: 'Held back by the publish guard' },
    hint: {
      zh: '确认数据无误后，以确认方式重新发布',
      en: 'The table is empty or lost half its rows. If that is right, publish again with confirmation.',
    },
  },
  RECONCILIATION_MISMATCH: {
    status: 500,
    recovery: 'fatal',
    title: { zh: '与来源对账不符', en: 'Totals disagree with the source' },
    hint: {
      zh: '不要发布；报告连接器缺陷',
      en: 'Nothing was published. Counts or sums taken by the source differ from what was read: report it.',
    },
  },
  REPORT_INVALID: {
    status: 422,
    recovery: 'fatal',
    title: { zh: '运行报告无效', en: 'Invalid run report' },
    hint: {
      zh: '检查工作进程的版本',
      en: "Nothing was published. The worker's report contradicts what it staged: check that worker's release.",
    },
  },
  REQUEST_INVALID: {
    status: 400,
    recovery: 'fatal',
    title: { zh: '请求不合规', en: 'The request is not valid' },
    hint: {
      zh: '对照接口文档更正所指位置',
      en: 'Correct what is named; the API documentation shows the expected form.',
    },
  },
  SCHEMA_UNSAFE: {
    status: 422,
    recovery: 'fatal',
    title: { zh: '模式不安全', en: 'Unsafe schema' },
    hint: {
      zh: '去除所指的关键字或改写正则',
      en: 'Remove what is named: remote references, $data, great depth or size, or a pattern that cannot run in linear time.',
    },
  },
  SECRET_MISSING: {
    status: 500,
    recovery: 'fatal',
    title: { zh: '缺少密钥引用', en: 'Secret reference cannot be resolved' },
    hint: { zh: '在工作进程上设置该变量或文件', en: 'Set that variable or file for the worker process.' },
  },
  SEALED_INVALID: {
    status: 500,
    recovery: 'fatal',
    title: { zh: '加密内容无法打开', en: 'Sealed data cannot be opened' },
    hint: {
      zh: '检查隔离区私钥是否与写入时一致',
      en: 'Check that the quarantine key is the one it was sealed to; damaged data cannot be recovered.',
    },
  },
  SNAPSHOT_LOST: {
    status: 503,
    recovery: 'retriable',
    title: { zh: '快照已失效', en: 'The snapshot is gone' },
    hint: { zh: '自动以新快照重试', en: 'The next generation opens a new snapshot; parts of two never mix.' },
  },
  SOURCE_AUTH: {
    status: 502,
    recovery: 'fatal',
    title: { zh: '数据源拒绝登录', en: 'The source refused the credentials' },
    hint: { zh: '检查用户和密钥引用', en: 'Check the user, its rights, and the secret reference.' },
  },
  SOURCE_UNREACHABLE: {
    status: 502,
    recovery: 'retriable',
    title: { zh: '无法连接数据源', en: 'The source cannot be reached' },
    hint: { zh: '检查地址、端口和网络', en: 'Check host, port and the network between the worker and the source.' },
  },
  STAGING_UNREACHABLE: {
    status: 503,
    recovery: 'retriable',
    title: { zh: '无法连接交换平台', en: 'The exchange cannot be reached' },
    hint: { zh: '检查工作进程到交换平台的网络', en: 'Check the network between the worker and the exchange’s URL.' },
  },
  STORE_FULL: {
    status: 507,
    recovery: 'retriable',
    title: { zh: '对象存储已满', en: 'The object store is full' },
    hint: { zh: '腾出空间；任务会自动重试', en: 'Free some space; the run tries again, and nothing half-made stays.' },
  },
  TABLE_NOT_FOUND: {
    status: 422,
    recovery: 'fatal',
    title: { zh: '找不到表', en: 'Table not found' },
    hint: { zh: '用 source discover 查看可用的表', en: 'See `huitong source discover` for what this user can read.' },
  },
  TOLERANCE_EXCEEDED: {
    status: 409,
    recovery: 'fatal',
    title: { zh: '不合格记录超出容忍度', en: 'Too many rows broke the contract' },
    hint: {
      zh: '查看隔离区，更正来源或契约',
      en: "Nothing was published. Look at the run's quarantine, then correct the source or the contract.",
    },
  },
  TYPE_UNMAPPED: {
    status: 422,
    recovery: 'fatal',
    title: { zh: '列类型未映射', en: 'Column type has no mapping' },
    hint: {
      zh: '在数据集定义中为该列指定类型，或不选该列',
      en: 'Give the column a type override in the dataset definition, or leave it out.',
    },
  },
  UNAUTHENTICATED: {
    status: 401,
    recovery: 'fatal',
    title: { zh: '未提供有效令牌', en: 'No valid token' },
    hint: {
      zh: '附上有效的 Bearer 令牌',
      en: 'Send `Authorization: Bearer <token>`; the token may have expired or been revoked.',
    },
  },
  UNREPRESENTABLE: {
    status: 422,
    recovery: 'fatal',
    title: { zh: '单元格无法表示', en: 'A cell cannot be represented' },
    hint: {
      zh: '修改来源，或改用 null 或 quarantine 策略',
      en: 'Correct the source, or set the property\'s x-unrepresentable to "null" or "quarantine".',
    },
  },
});

export type ErrorCode = keyof typeof errorCodes;
