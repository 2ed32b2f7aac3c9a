/** Code pages of `char`, `varchar` and `text`, by the names of the WHATWG Encoding Standard, which Node decodes. */
import { Collation } from 'tedious/lib/collation.js';

const encodings: Record<number, string> = {
  874: 'windows-874',
  932: 'shift_jis',
  936: 'gbk',
  949: 'euc-kr',
  950: 'big5',
  1250: 'windows-1250',
  1251: 'windows-1251',
  1252: 'windows-1252',
  1253: 'windows-1253',
  1254: 'windows-1254',
  1255: 'windows-1255',
  1256: 'windows-1256',
  1257: 'windows-1257',
  1258: 'windows-1258',
  65001: 'utf-8',
};

/** `codePage` is COLLATIONPROPERTY(…, 'CodePage'). Undefined: the server must convert (437 and 850 of old collations). */
export function encodingOfCodePage(codePage: number): string | undefined {
  return encodings[codePage];
}

/** `bytes` begin with a COLLATION ([MS-TDS] 2.2.5.1.2); tedious knows which code page that is. */
export function encodingOfCollation(bytes: Buffer): string | undefined {
  const { codepage } = Collation.fromBuffer(bytes);
  if (codepage === undefined) return undefined;
  return codepage === 'utf-8' ? codepage : encodingOfCodePage(Number(codepage.slice(2)));
}
