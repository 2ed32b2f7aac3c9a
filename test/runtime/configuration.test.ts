import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { HuitongError } from '../../lib/errors.ts';
import { loadConfiguration, requireSettings } from '../../runtime/configuration.ts';
import { configurationReference, referencePath } from '../../runtime/configuration-reference.ts';
import { nearestName } from '../../runtime/nearest-name.ts';
import { resolveSecret } from '../../runtime/secrets.ts';

function refusal(environment: NodeJS.ProcessEnv): HuitongError {
  try {
    loadConfiguration(environment);
  } catch (e: unknown) {
    if (e instanceof HuitongError) return e;
    throw e;
  }
  throw new Error('the configuration was accepted');
}

async function withFile<T>(text: string, body: (path: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'huitong-settings-'));
  try {
    const path = join(folder, 'settings.yaml');
    await writeFile(path, text);
    return await body(path);
  } finally {
    await rm(folder, { recursive: true });
  }
}

it('settings are typed, and what is absent has its default', () => {
  const settings = loadConfiguration({
    HUITONG_HTTP_PORT: '0',
    HUITONG_WORKER_ROLES: 'exchange, source:health',
    HUITONG_SOURCE_LOOPBACK_ALLOWED: 'true',
  });
  expect(settings).toMatchObject({
    httpPort: 0,
    workerRoles: ['exchange', 'source:health'],
    sourceLoopbackAllowed: true,
    temporalNamespace: 'default',
    logLevel: 'info',
  });
  expect(settings.catalogUrl).toBeUndefined();
});

it('the environment wins over the file, and TEMPORAL_ADDRESS serves where nothing else is said', async () => {
  await withFile('httpPort: 9000\nlogLevel: debug\n', async (path) => {
    const settings = loadConfiguration({
      HUITONG_CONFIG: path,
      HUITONG_HTTP_PORT: '9001',
      TEMPORAL_ADDRESS: 'there:7233',
    });
    expect(settings).toMatchObject({ httpPort: 9001, logLevel: 'debug', temporalAddress: 'there:7233' });
  });
  const both = loadConfiguration({ HUITONG_TEMPORAL_ADDRESS: 'here:1', TEMPORAL_ADDRESS: 'there:2' });
  expect(both.temporalAddress).toBe('here:1');
});

it('an unknown setting is an error that names the nearest known one', async () => {
  const wrong = refusal({ HUITONG_CATALOGUE_URL: 'postgres://u@h/d', HUITONG_URL: 'http://for-the-cli' });
  expect(wrong.code).toBe('CONFIG_INVALID');
  expect(wrong.problems).toHaveLength(1);
  expect(wrong.message).toContain('HUITONG_CATALOGUE_URL: ');
  expect(wrong.message).toContain('the nearest is HUITONG_CATALOG_URL');
  await withFile('htpPort: 1\n', async (path) => {
    expect(refusal({ HUITONG_CONFIG: path }).message).toContain('htpPort: no setting has this name');
    expect(refusal({ HUITONG_CONFIG: path }).message).toContain('the nearest is httpPort');
  });
});

it('every mistake is told at once, by the name of its variable, without its value', () => {
  const wrong = refusal({
    HUITONG_HTTP_PORT: 'eighty',
    HUITONG_WORKER_ROLES: 'source:',
    HUITONG_LOG_LEVEL: 'loud',
    HUITONG_WORKER_TOKEN: 'canary-7f3a',
  });
  const places = new Set(wrong.problems?.map((problem) => problem.at));
  expect(places).toEqual(
    new Set(['HUITONG_HTTP_PORT', 'HUITONG_WORKER_ROLES', 'HUITONG_LOG_LEVEL', 'HUITONG_WORKER_TOKEN']),
  );
  expect(JSON.stringify([wrong.message, wrong.problems])).not.toContain('canary-7f3a');
});

it('a file that is missing or is no mapping is refused by its name', async () => {
  expect(refusal({ HUITONG_CONFIG: '/nowhere/settings.yaml' }).at).toBe('/nowhere/settings.yaml');
  await withFile('- a\n- b\n', async (path) => {
    expect(refusal({ HUITONG_CONFIG: path }).message).toContain('not a mapping');
  });
});

it('a process says which settings it cannot do without', () => {
  const settings = loadConfiguration({ HUITONG_STORE_URL: 'file:///srv/store' });
  expect(requireSettings(settings, ['storeUrl'], 'a server').storeUrl).toBe('file:///srv/store');
  expect(() => requireSettings(settings, ['storeUrl', 'catalogUrl', 'signingKey'], 'a server')).toThrow(
    'a server needs HUITONG_CATALOG_URL, HUITONG_SIGNING_KEY',
  );
});

it('a secret reference gives the secret, or an error that names the place and not the value', async () => {
  expect(await resolveSecret('env:A', 'HUITONG_WORKER_TOKEN', { A: 'value' })).toBe('value');
  await withFile('from-a-file\n', async (path) => {
    expect(await resolveSecret(`file:${path}`, 'x')).toBe('from-a-file');
    expect(await resolveSecret(`file://${path}`, 'x')).toBe('from-a-file');
  });
  await expect(resolveSecret('env:B', 'HUITONG_WORKER_TOKEN', {})).rejects.toMatchObject({
    code: 'SECRET_MISSING',
    at: 'HUITONG_WORKER_TOKEN',
    message: 'the environment variable B is not set',
  });
  await expect(resolveSecret('file:/nowhere', 'x')).rejects.toMatchObject({ code: 'SECRET_MISSING' });
  const inline = await resolveSecret('canary-7f3a', 'x').catch((e: Error) => e.message);
  expect(inline).toBe('a secret is given as env:NAME or file:/path');
});

it('the nearest name takes the fewest edits, and the first of equals', () => {
  expect(nearestName('workerRole', ['workerToken', 'workerRoles'])).toBe('workerRoles');
  expect(nearestName('zzz', ['aaa', 'bbb'])).toBe('aaa');
});

it('docs/reference/configuration.md is what the schema says (else: npm run generate)', async () => {
  expect(await readFile(referencePath, 'utf8')).toBe(configurationReference());
});
