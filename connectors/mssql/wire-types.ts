/**
 * Column descriptions on the wire ([MS-TDS] 2.2.7.4 "COLMETADATA", 2.2.5.5 "Data Type Details"), and how each type's
 * cells are framed.
 *
 * Glossary
 *   framing   what comes before a cell's bytes and tells how many there are
 *   PLP       partially length-prefixed: a total of eight bytes, then chunks, then an empty chunk (2.2.5.2.3)
 */

/** Data type ids ([MS-TDS] 2.2.5.4), those that a query over tables can return. */
export const ids = {
  bit: 0x32,
  bitN: 0x68,
  bigBinary: 0xad,
  bigChar: 0xaf,
  bigVarBinary: 0xa5,
  bigVarChar: 0xa7,
  date: 0x28,
  datetime: 0x3d,
  datetime2: 0x2a,
  datetimeN: 0x6f,
  datetimeOffset: 0x2b,
  decimalN: 0x6a,
  float4: 0x3b,
  float8: 0x3e,
  floatN: 0x6d,
  guid: 0x24,
  image: 0x22,
  int1: 0x30,
  int2: 0x34,
  int4: 0x38,
  int8: 0x7f,
  intN: 0x26,
  money4: 0x7a,
  money8: 0x3c,
  moneyN: 0x6e,
  nchar: 0xef,
  ntext: 0x63,
  numericN: 0x6c,
  nvarchar: 0xe7,
  smallDatetime: 0x3a,
  sqlVariant: 0x62,
  text: 0x23,
  time: 0x29,
  udt: 0xf0,
  xml: 0xf1,
} as const;

/** A framing below `fixed` is one of the names here; from `fixed` on it is `fixed` plus the cell's bytes, no length. */
export const framings = { byteCounted: 1, shortCounted: 2, longCounted: 3, pointed: 4, plp: 5, fixed: 16 } as const;

export interface WireColumn {
  name: string;
  framing: number;
  /** TYPE_INFO as it came, in hexadecimal: equal texts mean equal types. */
  typeInfo: string;
}

const fixedBytes: Record<number, number> = {
  [ids.bit]: 1,
  [ids.int1]: 1,
  [ids.int2]: 2,
  [ids.int4]: 4,
  [ids.int8]: 8,
  [ids.float4]: 4,
  [ids.float8]: 8,
  [ids.money4]: 4,
  [ids.money8]: 8,
  [ids.smallDatetime]: 4,
  [ids.datetime]: 8,
};

const UNLIMITED = 0xffff;
const COLLATION_BYTES = 5;

/** The message so far does not hold what was asked for. */
export class Incomplete extends Error {}

class Reader {
  at: number;
  private readonly bytes: Buffer;
  private readonly end: number;

  constructor(bytes: Buffer, at: number, end: number) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  take(count: number): Buffer {
    if (this.at + count > this.end) throw new Incomplete();
    this.at += count;
    return this.bytes.subarray(this.at - count, this.at);
  }

  u8(): number {
    return this.take(1).readUInt8();
  }

  u16(): number {
    return this.take(2).readUInt16LE();
  }

  text(characters: number): string {
    return this.take(characters * 2).toString('utf16le');
  }
}

/** The columns that a COLMETADATA token at `at` describes, and the end of it. Throws Incomplete. */
export function readColumns(bytes: Buffer, at: number, end: number): { columns: WireColumn[]; next: number } {
  const reader = new Reader(bytes, at + 1, end);
  const count = reader.u16();
  const columns: WireColumn[] = [];
  for (let i = 0; count !== UNLIMITED && i < count; i++) {
    // User type, then flags.
    reader.take(6);
    const start = reader.at;
    const { framing, hasTable } = readTypeInfo(reader);
    const typeInfo = bytes.toString('hex', start, reader.at);
    if (hasTable) for (let parts = reader.u8(); parts > 0; parts--) reader.text(reader.u16());
    columns.push({ name: reader.text(reader.u8()), framing, typeInfo });
  }
  return { columns, next: reader.at };
}

function readTypeInfo(reader: Reader): { framing: number; hasTable: boolean } {
  const id = reader.u8();
  const width = fixedBytes[id];
  if (width !== undefined) return { framing: framings.fixed + width, hasTable: false };
  return { framing: readLength(reader, id), hasTable: id === ids.text || id === ids.ntext || id === ids.image };
}

/** What follows a type's id, and the framing that it means. */
function readLength(reader: Reader, id: number): number {
  switch (id) {
    case ids.date:
      return framings.byteCounted;
    case ids.intN:
    case ids.bitN:
    case ids.floatN:
    case ids.moneyN:
    case ids.datetimeN:
    case ids.guid:
    case ids.time:
    case ids.datetime2:
    case ids.datetimeOffset:
      reader.take(1);
      return framings.byteCounted;
    case ids.decimalN:
    case ids.numericN:
      reader.take(3);
      return framings.byteCounted;
    case ids.bigVarBinary:
    case ids.bigBinary:
      return reader.u16() === UNLIMITED ? framings.plp : framings.shortCounted;
    case ids.bigVarChar:
    case ids.bigChar:
    case ids.nvarchar:
    case ids.nchar: {
      const length = reader.u16();
      reader.take(COLLATION_BYTES);
      return length === UNLIMITED ? framings.plp : framings.shortCounted;
    }
    case ids.text:
    case ids.ntext:
      reader.take(4 + COLLATION_BYTES);
      return framings.pointed;
    case ids.image:
      reader.take(4);
      return framings.pointed;
    case ids.sqlVariant:
      reader.take(4);
      return framings.longCounted;
    case ids.xml:
      if (reader.u8() !== 0) {
        // Of a schema collection: database, owner, name.
        reader.text(reader.u8());
        reader.text(reader.u8());
        reader.text(reader.u16());
      }
      return framings.plp;
    default:
      throw new Error(`no framing is known for the wire type 0x${id.toString(16)}`);
  }
}

/** Where the token at `at`, which is neither a row nor COLMETADATA, ends; undefined where that is not there yet. */
export function tokenEnd(bytes: Buffer, at: number, end: number): number | undefined {
  const length = tokenBytes(bytes, at, end);
  return length !== undefined && at + length <= end ? at + length : undefined;
}

export const tokens = { columns: 0x81, row: 0xd1, nbcRow: 0xd2 } as const;

/** [MS-TDS] 2.2.4.2.1: the tokens of a batch's response. */
function tokenBytes(bytes: Buffer, at: number, end: number): number | undefined {
  const token = bytes[at] as number;
  switch (token) {
    // DONE, DONEPROC, DONEINPROC.
    case 0xfd:
    case 0xfe:
    case 0xff:
      return 13;
    // RETURNSTATUS.
    case 0x79:
      return 5;
    // ERROR, INFO, ENVCHANGE, ORDER, TABNAME, COLINFO.
    case 0xaa:
    case 0xab:
    case 0xe3:
    case 0xa9:
    case 0xa4:
    case 0xa5:
      return at + 3 <= end ? 3 + bytes.readUInt16LE(at + 1) : undefined;
    // SESSIONSTATE.
    case 0xe4:
      return at + 5 <= end ? 5 + bytes.readUInt32LE(at + 1) : undefined;
    default:
      throw new Error(`the token 0x${token.toString(16)} does not belong into a batch's response`);
  }
}
