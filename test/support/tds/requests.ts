/** What clients send: PRELOGIN, LOGIN7, batches, remote procedure calls ([MS-TDS] 2.2.6). */

export interface Login {
  user: string;
  password: string;
  application: string;
  database: string;
  packetBytes: number;
}

export interface TdsQuery {
  sql: string;
  /** As sp_executesql's parameters, by name without the @. */
  parameters: Record<string, string | null>;
}

const ENCRYPTION = 1;
const TERMINATOR = 0xff;
const PROCEDURE_BY_ID = 0xffff;
const SP_EXECUTESQL = 10;

export const encryption = { off: 0, on: 1, notSupported: 2, required: 3 };

export function readPrelogin(body: Buffer): { encryption: number } {
  for (let at = 0; body[at] !== TERMINATOR; at += 5) {
    if (body[at] === ENCRYPTION) return { encryption: body[body.readUInt16BE(at + 1)] ?? encryption.notSupported };
  }
  return { encryption: encryption.notSupported };
}

/** Version, encryption, instance, thread id, MARS; each option is a type, an offset, a length. */
export function preloginReply(mode: number): Buffer {
  const values = [Buffer.from([16, 0, 0x10, 0, 0, 0]), Buffer.from([mode]), Buffer.from([0]), Buffer.alloc(0)];
  let offset = values.length * 5 + 6;
  const options: Buffer[] = [];
  for (const [type, value] of [...values, Buffer.from([0])].entries()) {
    const option = Buffer.alloc(5);
    option[0] = type;
    option.writeUInt16BE(offset, 1);
    option.writeUInt16BE(value.length, 3);
    offset += value.length;
    options.push(option);
  }
  return Buffer.concat([...options, Buffer.from([TERMINATOR]), ...values, Buffer.from([0])]);
}

/** 2.2.6.4: fixed fields, then offsets and lengths in characters. The password's bytes are turned and masked. */
export function readLogin(body: Buffer): Login {
  const field = (at: number) => {
    const offset = body.readUInt16LE(at);
    return body.subarray(offset, offset + body.readUInt16LE(at + 2) * 2);
  };
  const password = field(44).map((byte) => {
    const masked = byte ^ 0xa5;
    return ((masked << 4) | (masked >> 4)) & 0xff;
  });
  return {
    user: field(40).toString('utf16le'),
    password: Buffer.from(password).toString('utf16le'),
    application: field(48).toString('utf16le'),
    database: field(68).toString('utf16le'),
    packetBytes: body.readUInt32LE(8),
  };
}

/** After ALL_HEADERS the batch is text. */
export function readBatch(body: Buffer): TdsQuery {
  return { sql: body.subarray(body.readUInt32LE(0)).toString('utf16le'), parameters: {} };
}

/** sp_executesql with parameters of type nvarchar, int and bigint. */
export function readProcedureCall(body: Buffer): TdsQuery {
  const reader = new ParameterReader(body, body.readUInt32LE(0));
  const name = reader.procedureName();
  if (name !== 'sp_executesql') throw new Error(`the test server has no procedure ${name}`);
  const sql = reader.parameter().value ?? '';
  const parameters: Record<string, string | null> = {};
  if (reader.hasMore) reader.parameter();
  while (reader.hasMore) {
    const { name: parameter, value } = reader.parameter();
    parameters[parameter.slice(1)] = value;
  }
  return { sql, parameters };
}

class ParameterReader {
  private readonly body: Buffer;
  private at: number;

  constructor(body: Buffer, at: number) {
    this.body = body;
    this.at = at;
  }

  get hasMore(): boolean {
    return this.at < this.body.length;
  }

  procedureName(): string {
    const length = this.u16();
    const name = length === PROCEDURE_BY_ID ? this.procedureById() : this.text(length);
    this.u16();
    return name;
  }

  parameter(): { name: string; value: string | null } {
    const name = this.text(this.u8());
    this.u8();
    return { name, value: this.value(this.u8()) };
  }

  private procedureById(): string {
    const id = this.u16();
    return id === SP_EXECUTESQL ? 'sp_executesql' : `number ${id}`;
  }

  private value(type: number): string | null {
    if (type === 0x26) {
      this.u8();
      const bytes = this.take(this.u8());
      return bytes.length === 0
        ? null
        : String(bytes.length === 8 ? bytes.readBigInt64LE() : bytes.readIntLE(0, bytes.length));
    }
    if (type === 0xe7) return this.nvarchar();
    throw new Error(`the test server takes no parameter of type 0x${type.toString(16)}`);
  }

  private nvarchar(): string | null {
    const isMax = this.u16() === 0xffff;
    this.take(5);
    if (!isMax) {
      const length = this.u16();
      return length === 0xffff ? null : this.take(length).toString('utf16le');
    }
    if (this.take(8).readBigUInt64LE() === 0xffff_ffff_ffff_ffffn) return null;
    const chunks: Buffer[] = [];
    for (let length = this.u32(); length > 0; length = this.u32()) chunks.push(this.take(length));
    return Buffer.concat(chunks).toString('utf16le');
  }

  private take(bytes: number): Buffer {
    this.at += bytes;
    return this.body.subarray(this.at - bytes, this.at);
  }

  private u8(): number {
    return this.take(1).readUInt8();
  }

  private u16(): number {
    return this.take(2).readUInt16LE();
  }

  private u32(): number {
    return this.take(4).readUInt32LE();
  }

  private text(characters: number): string {
    return this.take(characters * 2).toString('utf16le');
  }
}
