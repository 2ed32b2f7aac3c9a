/**
 * Packets and column definitions on the wire (MySQL "Client/Server Protocol": "MySQL Packets", "Column Definition",
 * "Binary Protocol Resultset Row"; MariaDB's is the same but for what stands in front of a definition's last part).
 *
 * Glossary
 *   packet    three bytes of length, one of sequence, a payload; a length of all ones: the next packet continues it
 *   counted   a cell with its length in front ("length-encoded"); dates are counted too, in one byte
 *   width     bytes of a cell of fixed size; 0: counted
 */

export const HEADER_BYTES = 4;
/** Payload of a packet that the next one continues. */
export const CONTINUED_BYTES = 0xff_ffff;
/** The first byte of a payload. */
export const markers = { row: 0x00, end: 0xfe, error: 0xff } as const;
/** Of the length in front of a counted cell: what is below is the length, else so many bytes follow it. */
export const counts = { two: 252, three: 253, eight: 254 } as const;

/** Field types, by the protocol's numbers. */
export const fieldTypes = {
  tiny: 1,
  short: 2,
  long: 3,
  float: 4,
  double: 5,
  longlong: 8,
  int24: 9,
  year: 13,
} as const;

const widths: Record<number, number> = {
  [fieldTypes.tiny]: 1,
  [fieldTypes.short]: 2,
  [fieldTypes.year]: 2,
  [fieldTypes.long]: 4,
  [fieldTypes.int24]: 4,
  [fieldTypes.float]: 4,
  [fieldTypes.longlong]: 8,
  [fieldTypes.double]: 8,
};

const UNSIGNED_FLAG = 0x20;
const BINARY_CHARSET = 63;

export interface WireColumn {
  width: number;
  /** What of the definition decides how cells are decoded: equal texts mean equal types. */
  typeInfo: string;
}

/** What the driver keeps of a definition, in its words. */
export interface FieldDefinition {
  columnType: number;
  characterSet: number;
  flags: number;
  decimals: number;
}

export function wireColumn({ columnType, characterSet, flags, decimals }: FieldDefinition): WireColumn {
  const sign = (flags & UNSIGNED_FLAG) === 0 ? 'signed' : 'unsigned';
  const kind = characterSet === BINARY_CHARSET ? 'binary' : 'text';
  return { width: widths[columnType] ?? 0, typeInfo: `${columnType} ${sign} ${kind} ${decimals}` };
}

/**
 * The column that the definition in `bytes[…, end)` describes: its last thirteen bytes are a length of 12, character
 * set, display length, type, flags, decimals and two of filler, whatever names and extensions stand in front.
 */
export function readDefinition(bytes: Buffer, end: number): WireColumn {
  return wireColumn({
    characterSet: bytes.readUInt16LE(end - 12),
    columnType: bytes.readUInt8(end - 6),
    flags: bytes.readUInt16LE(end - 5),
    decimals: bytes.readUInt8(end - 3),
  });
}

/** COM_STMT_EXECUTE of a statement without parameters, without a cursor. */
export function executePacket(statement: number): Buffer {
  const packet = Buffer.alloc(HEADER_BYTES + 10);
  packet.writeUIntLE(10, 0, 3);
  packet.writeUInt8(0x17, HEADER_BYTES);
  packet.writeUInt32LE(statement, HEADER_BYTES + 1);
  packet.writeUInt32LE(1, HEADER_BYTES + 6);
  return packet;
}
