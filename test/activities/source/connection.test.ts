import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { assertAddressAllowed, assertFolderAllowed, resolveConnection } from '../../../activities/source/connection.ts';

describe('resolveConnection', () => {
  test('references at any depth are replaced; everything else stays', async () => {
    const asked: string[] = [];
    const resolve = async (reference: string, at: string) => {
      asked.push(at);
      return reference.toUpperCase();
    };
    const connection = {
      host: 'db',
      port: 5432,
      password: 'env:pw',
      ssl: { 'a/b': ['file:/ca', 'plain'] },
      none: null,
    };
    expect(await resolveConnection(connection, resolve)).toEqual({
      host: 'db',
      port: 5432,
      password: 'ENV:PW',
      ssl: { 'a/b': ['FILE:/CA', 'plain'] },
      none: null,
    });
    expect(asked.sort()).toEqual(['connection /password', 'connection /ssl/a~1b/0']);
  });
});

describe('assertAddressAllowed', () => {
  const blocked = expect.objectContaining({ code: 'SSRF_BLOCKED' });

  test.each(['127.0.0.1', '127.8.8.8', '::1', '0.0.0.0', 'localhost', '::ffff:127.0.0.1'])(
    '%s is the own machine: only where the operator allows it',
    async (host) => {
      await expect(assertAddressAllowed({ host }, false)).rejects.toEqual(blocked);
      await expect(assertAddressAllowed({ host }, true)).resolves.toBeUndefined();
    },
  );

  test.each(['169.254.169.254', 'fe80::1', '::ffff:169.254.169.254'])('%s is never a source', async (host) => {
    await expect(assertAddressAllowed({ host }, true)).rejects.toEqual(blocked);
  });

  test('URLs are looked at, also behind the question mark', async () => {
    const urls = ['postgres://u@127.0.0.1/db', 'postgres://u@[::1]:5432/db', 'postgres://10.0.0.1/db?host=127.0.0.1'];
    for (const url of urls) await expect(assertAddressAllowed({ url }, false)).rejects.toEqual(blocked);
    await expect(assertAddressAllowed({ url: 'postgres://u@10.0.0.1/db' }, false)).resolves.toBeUndefined();
  });

  test('ordinary addresses, unknown names and connections without a host pass', async () => {
    for (const connection of [{ host: '10.1.2.3' }, { host: 'no-such-name.invalid' }, { folder: '/data' }, {}]) {
      await expect(assertAddressAllowed(connection, false)).resolves.toBeUndefined();
    }
  });
});

describe('assertFolderAllowed', () => {
  const outside = expect.objectContaining({ code: 'PATH_OUTSIDE' });

  test('only folders within those of the worker, wherever links lead', async () => {
    const root = await mkdtemp(join(tmpdir(), 'huitong-roots-'));
    try {
      await mkdir(join(root, 'allowed', 'health'), { recursive: true });
      await mkdir(join(root, 'allowed-not'));
      await symlink(join(root, 'allowed-not'), join(root, 'allowed', 'link'));
      const folders = [join(root, 'allowed')];
      for (const folder of ['allowed', 'allowed/health', 'allowed/not-yet']) {
        await expect(assertFolderAllowed({ folder: join(root, folder) }, folders)).resolves.toBeUndefined();
      }
      for (const folder of ['allowed-not', 'allowed/link', 'allowed/../allowed-not', '']) {
        await expect(assertFolderAllowed({ folder: `${root}/${folder}` }, folders)).rejects.toEqual(outside);
      }
      await expect(assertFolderAllowed({ folder: root }, [])).rejects.toEqual(outside);
      await expect(assertFolderAllowed({ host: 'db' }, [])).resolves.toBeUndefined();
    } finally {
      await rm(root, { recursive: true });
    }
  });
});
