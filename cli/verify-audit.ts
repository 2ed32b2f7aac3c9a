/** The audit log verified from an export and the public key alone. */
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { verifyExport } from '../exchange/audit/verify/export.ts';
import { readPublicKey } from '../exchange/audit/verify/head.ts';
import type { Receipt } from '../exchange/audit/verify/receipt.ts';
import { isHuitongError } from '../lib/errors.ts';
import { CommandError, exitCodes, foundHere } from './errors.ts';

export interface VerifyOptions {
  /** Paths. */
  key: string;
  head?: string[];
  receipt?: string[];
}

export interface VerifiedLog {
  origin: string;
  time: string;
  leaves: number;
  earlierHeads: number;
  receipts: number;
}

/** Throws CommandError with the first difference, or for a file that cannot be read. */
export async function verifyAuditExport(file: string, options: VerifyOptions): Promise<VerifiedLog> {
  const key = await readText(options.key);
  const earlierHeads = await Promise.all((options.head ?? []).map(readText));
  const receipts = await Promise.all((options.receipt ?? []).map(readReceipt));
  try {
    const publicKey = readPublicKey(key);
    const { head, ...counts } = await verifyExport(linesOf(file), { publicKey, earlierHeads, receipts });
    return { origin: head.origin, time: head.time, ...counts };
  } catch (error) {
    if (!isHuitongError(error)) throw unreadable(file, error);
    throw foundHere(error);
  }
}

function linesOf(file: string): AsyncIterable<string> {
  return createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY });
}

async function readReceipt(file: string): Promise<Receipt> {
  try {
    return JSON.parse(await readText(file));
  } catch (error) {
    if (error instanceof SyntaxError)
      throw new CommandError(`${file} 不是回执 · ${file} is not a receipt: it is no JSON`, exitCodes.usage);
    throw error;
  }
}

async function readText(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: unknown) => {
    throw unreadable(file, error);
  });
}

function unreadable(file: string, error: unknown): CommandError {
  const code = error instanceof Error && 'code' in error ? `: ${String(error.code)}` : '';
  return new CommandError(`无法读取 ${file}${code} · ${file} cannot be read${code}`, exitCodes.usage);
}
