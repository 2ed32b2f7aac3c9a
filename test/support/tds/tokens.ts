/** The tokens of a response ([MS-TDS] 2.2.7). */
import { counted, longText, shortText, unsigned } from './bytes.ts';
import type { TdsType } from './types.ts';

export interface TdsColumn {
  name: string;
  type: TdsType;
}

export type TdsRow = readonly (string | null)[];

const NULLABLE = 0x0001;
export const doneFlags = { final: 0x00, more: 0x01, error: 0x02, count: 0x10, attention: 0x20 };
export const doneTokens = { done: 0xfd, doneProc: 0xfe, doneInProc: 0xff };

export function colMetadata(columns: readonly TdsColumn[]): Buffer {
  const described = columns.flatMap(({ name, type }) => [
    unsigned(4, 0),
    unsigned(2, type.nullCell ? NULLABLE : 0),
    type.info,
    type.namesTable ? Buffer.concat([unsigned(1, 1), longText('t')]) : Buffer.alloc(0),
    shortText(name),
  ]);
  return Buffer.concat([unsigned(1, 0x81), unsigned(2, columns.length), ...described]);
}

export function row(columns: readonly TdsColumn[], cells: TdsRow): Buffer {
  const encoded = columns.map(({ name, type }, i) => {
    const value = cells[i] ?? null;
    if (value !== null) return type.cell(value);
    if (type.nullCell) return type.nullCell;
    throw new Error(`the test server's column ${name} cannot be null`);
  });
  return Buffer.concat([unsigned(1, 0xd1), ...encoded]);
}

/** A row whose nulls are one bit each and nothing else. */
export function nbcRow(columns: readonly TdsColumn[], cells: TdsRow): Buffer {
  const bitmap = Buffer.alloc((columns.length + 7) >> 3);
  const encoded = columns.flatMap(({ type }, i) => {
    const value = cells[i] ?? null;
    if (value !== null) return [type.cell(value)];
    bitmap[i >> 3] = (bitmap[i >> 3] ?? 0) | (1 << (i & 7));
    return [];
  });
  return Buffer.concat([unsigned(1, 0xd2), bitmap, ...encoded]);
}

export function done(token: number, flags: number, rows: number): Buffer {
  return Buffer.concat([unsigned(1, token), unsigned(2, flags), unsigned(2, 0xc1), unsigned(8, rows)]);
}

export function error(number: number, message: string, severity = 16): Buffer {
  return messageToken(0xaa, number, severity, message);
}

export function info(message: string): Buffer {
  return messageToken(0xab, 0, 0, message);
}

export function envChange(type: number, current: Buffer, previous: Buffer): Buffer {
  return Buffer.concat([unsigned(1, 0xe3), counted(2, Buffer.concat([unsigned(1, type), current, previous]))]);
}

export function returnStatus(value: number): Buffer {
  return Buffer.concat([unsigned(1, 0x79), unsigned(4, value)]);
}

export function order(columns: number[]): Buffer {
  return Buffer.concat([unsigned(1, 0xa9), counted(2, Buffer.concat(columns.map((column) => unsigned(2, column))))]);
}

/** TDS 7.4, "Microsoft SQL Server" 16.0. */
export function loginAck(): Buffer {
  const body = [Buffer.from([1, 0x74, 0, 0, 4]), shortText('Microsoft SQL Server'), Buffer.from([16, 0, 0x10, 0])];
  return Buffer.concat([unsigned(1, 0xad), counted(2, Buffer.concat(body))]);
}

function messageToken(token: number, number: number, severity: number, text: string): Buffer {
  const body = [unsigned(4, number), Buffer.from([1, severity]), longText(text), shortText('test'), shortText('')];
  return Buffer.concat([unsigned(1, token), counted(2, Buffer.concat([...body, unsigned(4, 1)]))]);
}
