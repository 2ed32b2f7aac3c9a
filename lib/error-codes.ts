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
      zh: '数据库早于已签名的日志头；在恢复较新状态或由人决定之前只读，见 docs/reference/faults.md 第 25 条',
      en: 'The database is older than a head already signed, or differs from it (a restored backup?). Everything is read-only until the newer state is restored, or a person decides: docs/reference/faults.md, 25.',
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
  BREAKING_CONTRACT: {
    status: 409,
    recovery: 'fatal',
    title: { zh: '破坏性契约变更', en: 'Breaking change of a contract' },
    hint: {
      zh: '提高主版本号，或撤销该变更',
      en: 'Raise the contract’s major version and tell its readers, or take the change back.',
    },
  },
  CANCELLED: {
    status: 409,
    recovery: 'fatal',
    title: { zh: '已取消', en: 'Cancelled' },
    hint: { zh: '需要时重新发起', en: 'Start it again when it is wanted.' },
  },
  CAPTURE_LOST: {
    status: 409,
    recovery: 'retriable',
    title: { zh: '变更捕获中断', en: 'The captured changes are no longer there' },
    hint: {
      zh: '需要全量刷新',
      en: 'Publish with --full: the capture is started again from a new snapshot.',
    },
  },
  CAPTURE_OPEN: {
    status: 409,
    recovery: 'fatal',
    title: { zh: '变更捕获尚未关闭', en: 'A change capture is still open' },
    hint: {
      zh: '先把该数据集改为其他模式并发布一次，再删除其定义；否则来源库会一直为它保留日志',
      en: 'Give the dataset another mode and publish it once; then remove it. Else its source keeps its log for ever.',
    },
  },
  CAPTURE_UNAVAILABLE: {
    status: 422,
    recovery: 'fatal',
    title: { zh: '数据源未启用变更捕获', en: 'The source does not capture changes' },
    hint: {
      zh: '请数据库管理员按提示设置',
      en: 'Ask the database’s administrator for what the message names, or use the mode upsert.',
    },
  },
  CASE_RULE: {
    status: 409,
    recovery: 'fatal',
    title: { zh: '规则不允许', en: 'A rule forbids it' },
    hint: {
      zh: '由本部门其他人员办理',
      en: 'Somebody else has to do that: docs/reference/corrections.md has the rules.',
    },
  },
  CASE_STATE: {
    status: 409,
    recovery: 'fatal',
    title: { zh: '事项当前状态不允许此操作', en: 'Not in this state of the case' },
    hint: {
      zh: '重新查看事项；它可能已由他人办理',
      en: 'Look at the case again: somebody else may have acted on it.',
    },
  },
  CATALOG_UNREACHABLE: {
    status: 503,
    recovery: 'retriable',
    title: { zh: '无法连接目录数据库', en: 'The catalog’s database cannot be reached' },
    hint: { zh: '检查目录数据库的地址、用户和运行状态', en: 'Check that PostgreSQL runs, its address, and the user.' },
  },
  CELL_TOO_LARGE: {
    status: 422,
    recovery: 'fatal',
    title: { zh: '单元格过大', en: 'Cell too large' },
    hint: {
      zh: '不选该列，或在来源中拆分',
      en: 'Leave the column out, or split such values in the source; 64 MiB a cell is the limit.',
    },
  },
  CHANGES_UNAVAILABLE: {
    status: 410,
    recovery: 'fatal',
    title: { zh: '无法提供增量', en: 'The changes since that version cannot be told' },
    hint: {
      zh: '整体读取一次，再以其版本号读取增量',
      en: 'Read the dataset in bulk once (`GET …/data`), and go on from the version in its x-huitong-version.',
    },
  },
  CHECKSUM: {
    status: 422,
    recovery: 'fatal',
    title: { zh: '校验码不符', en: 'Check character does not match' },
    hint: {
      zh: '核对原件后更正',
      en: 'Correct the identifier against the original document.',
    },
  },
  CLASS_BASIS_MISSING: {
    status: 422,
    recovery: 'fatal',
    title: { zh: '缺少共享类型依据', en: 'Sharing class without its basis' },
    hint: {
      zh: '写明法律依据（sharing.basis）',
      en: 'Give the law or decision as sharing.basis; only unconditional data needs none.',
    },
  },
  COLUMN_NOT_FOUND: {
    status: 422,
    recovery: 'fatal',
    title: { zh: '找不到列', en: 'Column not found' },
    hint: {
      zh: '用 source discover 查看列名',
      en: 'See `huitong source discover` for the names; they are case-sensitive.',
    },
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
  CONNECTOR_UNKNOWN: {
    status: 422,
    recovery: 'fatal',
    title: { zh: '未知的数据源类型', en: 'Unknown kind of source' },
    hint: {
      zh: '使用已支持的类型',
      en: 'Use one of the kinds that are listed, or add a connector (CONTRIBUTING).',
    },
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
  CONTRACT_VERSION: {
    status: 409,
    recovery: 'fatal',
    title: { zh: '契约版本号不符', en: 'Contract version does not fit its change' },
    hint: {
      zh: '按变更级别提高版本号',
      en: 'Raise the contract’s version as its change demands: a version, once applied, never changes.',
    },
  },
  CURSOR_UNSAFE: {
    status: 422,
    recovery: 'fatal',
    title: { zh: '游标列无法保证不漏数', en: 'The cursor could skip rows' },
    hint: {
      zh: '设置 lagSeconds，或授予查看会话的权限',
      en: 'Set lagSeconds longer than the longest transaction, or let the source’s user see all sessions (pg_read_all_stats).',
    },
  },
  DECOMPRESSION_LIMIT: {
    status: 422,
    recovery: 'fatal',
    title: { zh: '解压后超过上限', en: 'Decompressed content beyond the limit' },
    hint: {
      zh: '减小每页记录数，或拆分文件',
      en: 'Ask for smaller pages or files: little that was sent became more than is allowed.',
    },
  },
  DEFINITION_INVALID: {
    status: 422,
    recovery: 'fatal',
    title: { zh: '定义无效', en: 'Invalid definition' },
    hint: {
      zh: '更正所指的文件和行',
      en: 'Correct the file at the line that is named; docs/reference/district.md lists every member.',
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
  DISK_FULL: {
    status: 507,
    recovery: 'retriable',
    title: { zh: '磁盘空间不足', en: 'A disk is full' },
    hint: {
      zh: '为目录数据库或临时目录腾出空间；任务会自动重试',
      en: 'Free some space where the catalog’s database or the temporary folder (TMPDIR) lies; the run tries again, and nothing half-made stays.',
    },
  },
  DISTRICT_MISMATCH: {
    status: 409,
    recovery: 'fatal',
    title: { zh: '不是本区的定义', en: 'Another district’s files' },
    hint: {
      zh: '使用本区的定义文件',
      en: 'Apply this installation’s own district: one installation holds one district.',
    },
  },
  DRIVER_MISSING: {
    status: 500,
    recovery: 'fatal',
    title: { zh: '未安装数据库驱动', en: 'The database driver is not installed' },
    hint: {
      zh: '在工作进程所在目录安装提示中的 npm 包',
      en: 'Install the npm package that is named where the worker runs; docs/reference/oracle-and-dameng.md says why it does not come along.',
    },
  },
  DRIVER_UNSUITABLE: {
    status: 500,
    recovery: 'fatal',
    title: { zh: '数据库驱动不适用', en: 'The database driver does not fit' },
    hint: {
      zh: '按 package-lock.json 重新安装依赖',
      en: 'Install the dependencies again as package-lock.json has them: npm ci.',
    },
  },
  DUPLICATE_CODE: {
    status: 422,
    recovery: 'fatal',
    title: { zh: '编码重复', en: 'Code given twice' },
    hint: {
      zh: '为其中一个改用新的编码',
      en: 'Give one of the two another code, or remove it.',
    },
  },
  ELEMENT_DUPLICATE: {
    status: 422,
    recovery: 'fatal',
    title: { zh: '重复采集', en: 'Collected twice' },
    hint: {
      zh: '改用数源部门的数据，或在 citesDuplicate 中写明理由',
      en: 'Use the lead source’s item, or say why not: `citesDuplicate: { of, reason }` on this item.',
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
  ENTRY_NOT_IN_FORCE: {
    status: 409,
    recovery: 'fatal',
    title: { zh: '目录条目不在发布状态', en: 'The catalog entry is not in force' },
    hint: {
      zh: '重新提出该条目，经审核后再发布',
      en: 'Propose the entry: once a review has published it, it is in force again.',
    },
  },
  ENTRY_SAME: {
    status: 409,
    recovery: 'fatal',
    title: { zh: '条目没有变化', en: 'The entry would stay as it is' },
    hint: { zh: '无需提出', en: 'There is nothing to review.' },
  },
  ENTRY_UNDER_REVIEW: {
    status: 409,
    recovery: 'fatal',
    title: { zh: '条目正在审核', en: 'The entry is under review' },
    hint: {
      zh: '等待该事项办结，或将其撤回',
      en: 'Wait for the case that is named, or withdraw it: huitong case withdraw.',
    },
  },
  FENCED: {
    status: 409,
    recovery: 'fatal',
    title: { zh: '已被更新的运行取代', en: 'Fenced by a newer run' },
    hint: { zh: '无需处理，较新的运行继续', en: 'Nothing to do: a newer run or generation owns this dataset now.' },
  },
  FILE_INVALID: {
    status: 422,
    recovery: 'fatal',
    title: { zh: '文件内容无效', en: 'The file is not as its format demands' },
    hint: {
      zh: '改正文件，或改正来源定义中的格式、编码、引号',
      en: 'Correct the file, or the format, encoding and quote in the source’s definition.',
    },
  },
  FORBIDDEN: {
    status: 403,
    recovery: 'fatal',
    title: { zh: '角色无此权限', en: 'Not allowed for this role' },
    hint: { zh: '向管理员申请相应角色', en: 'Ask an administrator for the role that this action needs.' },
  },
  GRANT_ENDED: {
    status: 409,
    recovery: 'fatal',
    title: { zh: '授权已终止', en: 'The grant has ended' },
    hint: { zh: '如需继续使用，请重新申请', en: 'A grant that was revoked or has expired stays so: make a new one.' },
  },
  GRANT_NOT_USABLE: {
    status: 403,
    recovery: 'fatal',
    title: { zh: '授权当前不可用', en: 'The grant cannot be used now' },
    hint: {
      zh: '授权已暂停、撤销、到期或尚未生效；请联系提供部门',
      en: 'It is suspended, revoked, expired, not yet valid, or not for this way of reading. Ask the providing department.',
    },
  },
  GRANT_OF_REQUEST: {
    status: 409,
    recovery: 'fatal',
    title: { zh: '该授权由申请产生', en: 'The grant answers a request' },
    hint: { zh: '在相应申请上办理', en: 'Suspend, resume or revoke the request: `huitong request …`.' },
  },
  IDEMPOTENCY_IN_PROGRESS: {
    status: 409,
    recovery: 'retriable',
    title: { zh: '相同请求正在处理', en: 'The same request is at work' },
    hint: { zh: '稍后重试', en: 'Try again in a moment with the same key.' },
  },
  IDEMPOTENCY_MISMATCH: {
    status: 422,
    recovery: 'fatal',
    title: { zh: '幂等键已用于另一请求', en: 'The key stands for another request' },
    hint: { zh: '换一个 Idempotency-Key', en: 'Use a new Idempotency-Key for a different request.' },
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
  ITEM_NOT_SHARED: {
    status: 422,
    recovery: 'fatal',
    title: { zh: '该数据项不予共享', en: 'An item that is not shared' },
    hint: {
      zh: '去掉该数据项；目录中写有不予共享的依据',
      en: 'Leave the item out: the catalog names the law by which it is not shared.',
    },
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
  KEY_NOT_FOUND: {
    status: 422,
    recovery: 'fatal',
    title: { zh: '未找到主键', en: 'No key was found' },
    hint: {
      zh: '在源表上建立唯一键，或提供一个带唯一标识列的视图',
      en: 'Give the table a unique key in the source, or a view with a column that identifies a row.',
    },
  },
  LOGIN_TAKEN: {
    status: 409,
    recovery: 'fatal',
    title: { zh: '登录名已被使用', en: 'The login is taken' },
    hint: { zh: '换一个登录名，或启用原账号', en: 'Choose another login, or enable the account that has it.' },
  },
  LOOKUP_NOT_READY: {
    status: 503,
    recovery: 'retriable',
    title: { zh: '查询索引正在建立', en: 'The index for look-ups is being made' },
    hint: {
      zh: '稍后重试；首次查询大数据集时需要几十秒',
      en: 'Try again in a moment: the first index of a large dataset takes some tens of seconds.',
    },
  },
  LOOKUP_UNSUPPORTED: {
    status: 409,
    recovery: 'fatal',
    title: { zh: '该数据集不能按主键查询', en: 'This dataset cannot be looked up by key' },
    hint: {
      zh: '主键须为文本、整数、日期或 UUID；见 docs/reference/lookups.md',
      en: 'Its key must be text, whole numbers, dates or UUIDs; see docs/reference/lookups.md.',
    },
  },
  MODE_UNSUPPORTED: {
    status: 422,
    recovery: 'fatal',
    title: { zh: '该数据源不支持此发布方式', en: 'The source cannot be published in this mode' },
    hint: {
      zh: '改用 snapshot 方式',
      en: 'Use the mode snapshot, or one that the source’s kind can do: docs/reference/incremental.md.',
    },
  },
  NOT_ACCEPTABLE: {
    status: 406,
    recovery: 'fatal',
    title: { zh: '没有可接受的格式', en: 'No acceptable format' },
    hint: { zh: '改用所列格式之一', en: 'Ask for one of the media types that are named.' },
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
  PASSWORD_CHANGE_REQUIRED: {
    status: 403,
    recovery: 'fatal',
    title: { zh: '须先设置新密码', en: 'A new password is needed first' },
    hint: {
      zh: '登录时同时提供新密码（newPassword）',
      en: 'The password is a temporary one: sign in again and give a new one beside it (newPassword).',
    },
  },
  PASSWORD_WEAK: {
    status: 422,
    recovery: 'fatal',
    title: { zh: '密码过于简单', en: 'The password is too weak' },
    hint: {
      zh: '至少 12 个字符，不含登录名，且不是常见或重复的字符串',
      en: 'At least 12 characters, without the login, and no run of one or two characters.',
    },
  },
  PATH: {
    status: 422,
    recovery: 'fatal',
    title: { zh: '文件位置无效', en: 'Not a place for a definition' },
    hint: {
      zh: '按 docs/reference/district.md 放置文件',
      en: 'Put the file where docs/reference/district.md says.',
    },
  },
  PATH_OUTSIDE: {
    status: 422,
    recovery: 'fatal',
    title: { zh: '路径超出允许范围', en: 'A path outside of what may be read' },
    hint: {
      zh: '使用允许的文件夹之内的路径',
      en: 'Give a path within the folders that the worker is allowed to read.',
    },
  },
  PLAN_STALE: {
    status: 409,
    recovery: 'fatal',
    title: { zh: '计划已过期', en: 'The plan is out of date' },
    hint: {
      zh: '重新生成计划',
      en: 'Make the plan again: the catalog has changed since.',
    },
  },
  POLICY_INVALID: {
    status: 422,
    recovery: 'fatal',
    title: { zh: '授权策略无效', en: 'Invalid policy of a grant' },
    hint: {
      zh: '对照数据契约更正所指的筛选或脱敏',
      en: 'Correct the filter or mask that is named: docs/reference/policies.md lists them, the contract has the columns.',
    },
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
  PURPOSE_SCOPE: {
    status: 403,
    recovery: 'fatal',
    title: { zh: '用途超出授权范围', en: 'The purpose is not the grant’s' },
    hint: {
      zh: '填写授权所列用途；其他用途须另行申请',
      en: 'Give the purpose that the grant names; another purpose needs a request of its own.',
    },
  },
  QUOTA_EXCEEDED: {
    status: 403,
    recovery: 'fatal',
    title: { zh: '超出授权额度', en: 'The quota of the grant is used up' },
    hint: {
      zh: '次日（北京时间）恢复；需要更多请重新申请',
      en: 'It begins anew at midnight, Asia/Shanghai. For more, ask for a new grant.',
    },
  },
  RANGE_NOT_SATISFIABLE: {
    status: 416,
    recovery: 'fatal',
    title: { zh: '请求的范围无效', en: 'The range lies outside the body' },
    hint: { zh: '按总长度更正范围', en: 'Correct the range; Content-Range tells the length.' },
  },
  RATING_GIVEN: {
    status: 409,
    recovery: 'fatal',
    title: { zh: '已经评价', en: 'Rated already' },
    hint: {
      zh: '每项授权对每个版本评价一次',
      en: 'Each grant rates each version once; rate a later version.',
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
  REFERENCE_UNKNOWN: {
    status: 422,
    recovery: 'fatal',
    title: { zh: '引用的对象不存在', en: 'Reference to something that is not there' },
    hint: {
      zh: '更正编码，或补充其定义',
      en: 'Correct the code, or define what it refers to.',
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
  REQUEST_RULE: {
    status: 409,
    recovery: 'fatal',
    title: { zh: '规则不允许', en: 'A rule forbids it' },
    hint: {
      zh: '见 docs/reference/requests.md 中的办理规则',
      en: 'See the rules of requests in docs/reference/requests.md.',
    },
  },
  REQUEST_STATE: {
    status: 409,
    recovery: 'fatal',
    title: { zh: '申请当前状态不允许此操作', en: 'Not in this state of the request' },
    hint: {
      zh: '重新查看申请；它可能已由他人办理',
      en: 'Look at the request again: somebody else may have acted on it.',
    },
  },
  ROLES_CONFLICT: {
    status: 422,
    recovery: 'fatal',
    title: { zh: '角色互斥', en: 'Roles that exclude each other' },
    hint: {
      zh: '管理员、审计员、运维员三权分立，请分别授予不同的人',
      en: 'Administrator, auditor and operator are three people: give each role to another.',
    },
  },
  RUN_ENDED: {
    status: 409,
    recovery: 'fatal',
    title: { zh: '该运行已结束', en: 'The run has ended' },
    hint: { zh: '无需处理', en: 'Nothing to do: it has ended already.' },
  },
  RUN_IN_PROGRESS: {
    status: 409,
    recovery: 'fatal',
    title: { zh: '该数据集正在运行', en: 'A run of this dataset is going on' },
    hint: { zh: '等待其结束，或先取消', en: 'Wait for it, or cancel it first; `huitong runs --dataset …` shows it.' },
  },
  SCHEMA_DRIFT: {
    status: 409,
    recovery: 'retriable',
    title: { zh: '表结构已变更', en: 'The table changed while it was read' },
    hint: {
      zh: '自动重新规划；核对数据契约',
      en: 'The next generation plans again; compare the table with its contract.',
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
  SECRET_INLINE: {
    status: 422,
    recovery: 'fatal',
    title: { zh: '定义中写有密钥', en: 'Secret written into a definition' },
    hint: {
      zh: '改为 env: 或 file: 引用，并更换该密钥',
      en: 'Replace it with a reference, env:NAME or file:/path, and change the secret: it has been seen.',
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
  SIGN_IN_FAILED: {
    status: 401,
    recovery: 'fatal',
    title: { zh: '登录失败', en: 'The sign-in failed' },
    hint: {
      zh: '核对登录名和密码；多次失败后账号会暂时锁定，稍后再试或请管理员重置',
      en: 'Check login and password; after repeated failures the account is closed for a while. An administrator can reset it.',
    },
  },
  SIGN_IN_UNAVAILABLE: {
    status: 503,
    recovery: 'retriable',
    title: { zh: '暂时无法登录', en: 'Nobody can be signed in now' },
    hint: {
      zh: '稍后再试；如使用统一身份认证，运维员应核对 oidcIssuer 等配置',
      en: 'Try again later. An operator should check oidcIssuer and the client’s registration at the identity provider.',
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
  SOURCE_BUSY: {
    status: 503,
    recovery: 'retriable',
    title: { zh: '数据源连接数已满', en: 'The source has no connections to spare' },
    hint: {
      zh: '稍后重试，或错开排程，或提高数据源的 limits.connections',
      en: 'Run it later, spread the schedules, or raise limits.connections of the source.',
    },
  },
  SOURCE_CONFLICT: {
    status: 422,
    recovery: 'fatal',
    title: { zh: '一数多源', en: 'Two authoritative sources for one element' },
    hint: {
      zh: '由主管部门确定唯一数源',
      en: 'Let the supervising department decide which one is authoritative.',
    },
  },
  SOURCE_DATABASE_MISSING: {
    status: 502,
    recovery: 'fatal',
    title: { zh: '数据源中没有该数据库', en: 'The source has no such database' },
    hint: {
      zh: '检查数据库名',
      en: 'Check the name of the database in the connection.',
    },
  },
  SOURCE_FAILED: {
    status: 502,
    recovery: 'retriable',
    title: { zh: '数据源出错', en: 'The source failed' },
    hint: {
      zh: '查看数据源的日志',
      en: 'Look up the code that is named, and the source’s own log.',
    },
  },
  SOURCE_FORBIDDEN: {
    status: 502,
    recovery: 'fatal',
    title: { zh: '数据源账户无权读取', en: 'The source forbids reading' },
    hint: {
      zh: '请数据库管理员授予 SELECT 权限',
      en: 'Ask the database’s administrator for SELECT on this table and USAGE on its schema.',
    },
  },
  SOURCE_TIMEOUT: {
    status: 502,
    recovery: 'retriable',
    title: { zh: '数据源超时', en: 'The source took too long' },
    hint: {
      zh: '调大 statementTimeoutMs 或换时段',
      en: 'Raise statementTimeoutMs, or run when the source is less busy.',
    },
  },
  SOURCE_TLS: {
    status: 502,
    recovery: 'fatal',
    title: { zh: '数据源的 TLS 连接失败', en: 'No trusted TLS connection to the source' },
    hint: {
      zh: '检查 ssl 设置和证书',
      en: 'Check the ssl setting, its authority (ca) and the server’s name.',
    },
  },
  SOURCE_UNREACHABLE: {
    status: 502,
    recovery: 'retriable',
    title: { zh: '无法连接数据源', en: 'The source cannot be reached' },
    hint: { zh: '检查地址、端口和网络', en: 'Check host, port and the network between the worker and the source.' },
  },
  SSRF_BLOCKED: {
    status: 422,
    recovery: 'fatal',
    title: { zh: '不允许访问该地址', en: 'This address may not be a source' },
    hint: {
      zh: '使用数据库服务器的地址；本机数据源须由运维人员放行',
      en: 'Name the database server itself. For a source on the worker’s own machine the operator sets HUITONG_SOURCE_LOOPBACK_ALLOWED.',
    },
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
  STORE_UNREACHABLE: {
    status: 503,
    recovery: 'retriable',
    title: { zh: '对象存储不可用', en: 'The object store cannot be used' },
    hint: {
      zh: '检查存储地址、存储桶和凭据',
      en: 'Check the endpoint, the bucket and the credentials of the object store.',
    },
  },
  TABLE_NOT_FOUND: {
    status: 422,
    recovery: 'fatal',
    title: { zh: '找不到表', en: 'Table not found' },
    hint: { zh: '用 source discover 查看可用的表', en: 'See `huitong source discover` for what this user can read.' },
  },
  TEMPORAL_UNREACHABLE: {
    status: 503,
    recovery: 'retriable',
    title: { zh: '工作流服务不可用', en: 'Temporal does not answer' },
    hint: { zh: '稍后重试', en: 'Try again in a moment; nothing was started or changed.' },
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
      zh: '请登录（huitong login），或附上有效的 Bearer 令牌；令牌可能已到期或被撤销',
      en: 'Sign in (`huitong login`), or send a valid `Authorization: Bearer <token>`: it may have expired or been revoked.',
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
  VERSION_EXPIRED: {
    status: 410,
    recovery: 'fatal',
    title: { zh: '该版本已到期', en: 'This version has expired' },
    hint: {
      zh: '改读现行版本；`huitong dataset versions` 列出可读版本及到期时间',
      en: 'Read the current version; `huitong dataset versions` tells which others can be read, and until when.',
    },
  },
  VERSION_RECALLED: {
    status: 410,
    recovery: 'fatal',
    title: { zh: '该版本已撤回', en: 'This version was recalled' },
    hint: {
      zh: '改用所列的其他版本，并处置已有副本',
      en: 'Read the version that is named, where there is one, and confirm what became of your copies: `huitong duties`.',
    },
  },
  WORKER_LOST: {
    status: 503,
    recovery: 'retriable',
    title: { zh: '工作进程失联', en: 'The worker was lost' },
    hint: {
      zh: '检查该部门的工作进程和网络',
      en: 'The worker died, was stopped, or was cut off. Check it and its network, then publish again.',
    },
  },
  WORKER_UNAVAILABLE: {
    status: 503,
    recovery: 'retriable',
    title: { zh: '部门工作进程未响应', en: 'The department’s worker does not answer' },
    hint: { zh: '检查该部门的工作进程', en: 'Check that a worker with the role source:<department> is running.' },
  },
});

export type ErrorCode = keyof typeof errorCodes;
