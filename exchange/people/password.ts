/**
 * Passwords of local accounts: scrypt (RFC 7914), with its parameters beside the hash, so that they can be raised later.
 * Checks run two at a time: each takes 32 MiB and a tenth of a second, which a crowd of guesses must not multiply.
 */
import { randomBytes, randomInt, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { HuitongError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';

const scryptAsync = promisify<string, Buffer, number, ScryptOptions, Buffer>(scrypt);

/** OWASP Password Storage Cheat Sheet: N = 2^15, r = 8, p = 3. */
const LOG_N = 15;
const BLOCK = 8;
const PARALLEL = 3;
const HASH_BYTES = 32;
const LENGTH_MIN = 12;
/** No letters or digits that are mistaken for each other. */
const TEMPORARY_ALPHABET = 'abcdefghjkmnpqrstuvwxyz23456789';
const STORED = /^scrypt\$(\d+)\$(\d+)\$(\d+)\$([\w-]+)\$([\w-]+)$/;

/** Sixteen characters, 79 bits, in groups that can be read out. */
export function temporaryPassword(): string {
  const pick = () => TEMPORARY_ALPHABET[randomInt(TEMPORARY_ALPHABET.length)];
  return Array.from({ length: 4 }, () => Array.from({ length: 4 }, pick).join('')).join('-');
}

/** @throws PASSWORD_WEAK */
export function requireStrong(password: string, login: string): void {
  const plain = normal(password);
  const weak = (why: string) => new HuitongError('PASSWORD_WEAK', why, { pointer: '/newPassword' });
  if ([...plain].length < LENGTH_MIN)
    throw weak(`密码至少 ${LENGTH_MIN} 个字符 · a password has at least ${LENGTH_MIN} characters`);
  if (plain.toLowerCase().includes(login.toLowerCase()))
    throw weak('密码不得含有登录名 · a password does not contain the login');
  if (new Set(plain).size < 5) throw weak('密码至少有五个不同字符 · a password has at least five different characters');
}

export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  const derived = await derive(password, salt, LOG_N, BLOCK, PARALLEL);
  return ['scrypt', LOG_N, BLOCK, PARALLEL, salt.toString('base64url'), derived.toString('base64url')].join('$');
}

/** Takes as long for an account that does not exist (`stored` is null) as for one that does. */
export async function checkPassword(password: string, stored: string | null): Promise<boolean> {
  const [, logN, block, parallel, salt = '', kept = ''] = STORED.exec(stored ?? (await nobody())) ?? [];
  const derived = await derive(password, Buffer.from(salt, 'base64url'), Number(logN), Number(block), Number(parallel));
  return timingSafeEqual(derived, Buffer.from(kept, 'base64url')) && stored !== null;
}

let nobodysHash: Promise<string> | undefined;
function nobody(): Promise<string> {
  nobodysHash ??= hashPassword(randomBytes(16).toString('base64url'));
  return nobodysHash;
}

/** NIST SP 800-63B, section 3.1.1.2: one form for all spellings of the same characters. */
function normal(password: string): string {
  return password.normalize('NFKC');
}

let running = 0;
const waiting: (() => void)[] = [];

/** @throws SIGN_IN_UNAVAILABLE where too many wait already */
async function derive(password: string, salt: Buffer, logN: number, r: number, p: number): Promise<Buffer> {
  if (running >= limits.passwordChecksMax) {
    if (waiting.length >= limits.passwordChecksWaitingMax) {
      throw new HuitongError('SIGN_IN_UNAVAILABLE', '正在登录的人过多 · too many sign-ins wait already');
    }
    await new Promise<void>((resolve) => waiting.push(resolve));
  } else running++;
  try {
    const N = 2 ** logN;
    return await scryptAsync(normal(password), salt, HASH_BYTES, { N, r, p, maxmem: 160 * N * r });
  } finally {
    // The place goes to the next one, or is given back.
    const next = waiting.shift();
    if (next) next();
    else running--;
  }
}
