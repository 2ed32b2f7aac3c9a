/**
 * Which columns are likely to hold personal data, by what they are called and what the sample looks like. A suggestion
 * for the department to confirm (PIPL articles 4 and 28); until then it decides what is kept out of a contract.
 */
import type { ItemDefinition } from '../../schemas/generated/dataset.ts';
import type { ColumnProfile } from './column-profile.ts';

export interface Sensitivity {
  sensitivity: 'personal' | 'sensitive-personal';
  mask: NonNullable<ItemDefinition['mask']>;
  /** For the person who confirms it. */
  why: string;
}

interface Rule extends Sensitivity {
  names: RegExp;
}

/** Latin words are matched as parts of a name: `birth_date`, `birthDate`. */
const word = (...words: string[]) => new RegExp(`(?:^|[^a-z])(?:${words.join('|')})(?:$|[^a-z])`);

const byName: Rule[] = [
  rule(
    'sensitive-personal',
    'partial',
    'an identity document',
    /身份证|证件号|护照|公民身份/,
    'id_?card(?:_?no)?',
    'id_?no',
    'passport(?:_?no)?',
    'ssn',
    'sfzh?',
    'zjhm',
  ),
  rule(
    'sensitive-personal',
    'partial',
    'an account',
    /银行卡|银行账号|卡号|账号/,
    'bank_?account',
    'card_?no',
    'credit_?card',
    'iban',
  ),
  rule(
    'sensitive-personal',
    'drop',
    'health',
    /诊断|病史|疾病|检测结果|血型|残疾/,
    'diagnos[ie]s',
    'disease',
    'blood_?type',
    'medical_?history',
  ),
  rule('sensitive-personal', 'drop', 'a secret', /密码|口令/, 'password', 'passwd', 'pwd'),
  rule(
    'personal',
    'partial',
    'a telephone number',
    /电话|手机|联系方式/,
    'phone',
    'mobile',
    'tel',
    'telephone',
    'sjh',
    'lxdh',
    'fax',
  ),
  rule('personal', 'partial', 'an e-mail address', /邮箱|电子邮件/, 'e_?mail', 'mail'),
  rule('personal', 'partial', 'an address', /住址|地址|户籍/, 'address\\d?', 'addr', 'street'),
  rule('personal', 'truncate', 'a date of birth', /出生|生日/, 'birth_?(?:date|day)', 'date_?of_?birth', 'dob', 'csrq'),
  rule(
    'personal',
    'partial',
    'a person',
    /姓名|姓氏|法定代表人|法人代表|负责人|联系人|经办人|户主|申请人|当事人|家长|监护人|医生|护士|患者|司机|驾驶人/,
    '(?:first|last|full|middle|given|family|sur|user|contact|person)_?name',
    'surname',
    'xm',
    'username',
    'patient',
    'doctor',
    'nurse',
    'driver',
    'author',
    'actor',
    'owner',
    'employee',
    'contact',
    'created_?by',
    'updated_?by',
  ),
];

function rule(
  sensitivity: Rule['sensitivity'],
  mask: Rule['mask'],
  what: string,
  chinese: RegExp,
  ...latin: string[]
): Rule {
  const names = new RegExp(`${chinese.source}|${word(...latin).source}`);
  return { sensitivity, mask, names, why: `its name says that it is ${what}` };
}

const byFormat: Record<string, Sensitivity> = {
  'resident-id': { sensitivity: 'sensitive-personal', mask: 'partial', why: 'the sample holds resident IDs' },
  'mobile-number': { sensitivity: 'personal', mask: 'partial', why: 'the sample holds mobile numbers' },
  email: { sensitivity: 'personal', mask: 'partial', why: 'the sample holds e-mail addresses' },
};

/** From so many texts that look like names on, a column is one of persons. */
const NAME_SHARE_MIN = 0.5;

export function sensitivityOf(
  column: { name: string; comment?: string },
  profile: Pick<ColumnProfile, 'formats' | 'nameShare'>,
): Sensitivity | undefined {
  for (const format of profile.formats.keys()) if (byFormat[format] !== undefined) return byFormat[format];
  const spoken = `${separated(column.name)} ${column.comment ?? ''}`;
  const named = byName.find(({ names }) => names.test(spoken));
  if (named !== undefined) return { sensitivity: named.sensitivity, mask: named.mask, why: named.why };
  if (profile.nameShare < NAME_SHARE_MIN) return undefined;
  return { sensitivity: 'personal', mask: 'partial', why: 'the sample looks like names of persons' };
}

/** `birthDate` and `BIRTH_DATE` as `birth_date`. */
function separated(name: string): string {
  return name.replace(/(\p{Ll})(\p{Lu})/gu, '$1_$2').toLowerCase();
}
