/** Secret references, `env:NAME` and `file:/path`: what a setting says instead of the secret itself. */
import { readFile } from 'node:fs/promises';
import { HuitongError } from '../lib/errors.ts';

/**
 * The secret that a setting refers to, without a final line break.
 * @throws SECRET_MISSING, which names the variable or the file, never a value
 */
export async function resolveSecret(
  reference: string,
  at: string,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<string> {
  if (reference.startsWith('env:')) {
    const name = reference.slice('env:'.length);
    const value = environment[name];
    if (value) return value;
    throw new HuitongError('SECRET_MISSING', `the environment variable ${name} is not set`, { at });
  }
  if (reference.startsWith('file:')) {
    const path = reference.slice('file:'.length).replace(/^\/\/(?=\/)/, '');
    const text = await readFile(path, 'utf8').catch((cause: unknown) => {
      throw new HuitongError('SECRET_MISSING', `the file ${path} cannot be read`, { at, cause });
    });
    const value = text.replace(/\r?\n$/, '');
    if (value) return value;
    throw new HuitongError('SECRET_MISSING', `the file ${path} is empty`, { at });
  }
  // The one setting that may also be written out is the catalog's URL, on one machine without a password worth hiding.
  if (/^postgres(ql)?:/.test(reference)) return reference;
  throw new HuitongError('CONFIG_INVALID', 'a secret is given as env:NAME or file:/path', { at });
}
