import { appendFile, mkdir, rename, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { files } from '../../../connectors/files/index.ts';
import { assertInside, patternOf } from '../../../connectors/files/location.ts';
import { context, readPlan, readTable, withFolder } from './support.ts';

const lines = (from: number) => Array.from({ length: 5_000 }, (_, i) => `${from + i},x`).join('\n');

describe('a file that is no longer what it was when the run began is SNAPSHOT_LOST, never a mix', () => {
  const changes: [string, (path: string) => Promise<unknown>][] = [
    ['appended to', (path) => appendFile(path, '6,y\n')],
    ['written over, same size', (path) => writeFile(path, `id,b\n${lines(20_000)}`)],
    [
      'replaced by another, its time set back',
      async (path) => {
        await writeFile(`${path}.new`, `id,b\n${lines(20_000)}`);
        await rename(`${path}.new`, path);
        await utimes(path, new Date(0), new Date(0));
      },
    ],
    ['renamed away', (path) => rename(path, `${path}.old`)],
  ];

  test.each(changes)('%s: before it is read', async (_, change) => {
    await withFolder({ 'a.csv': `id,b\n${lines(10_000)}` }, async (folder) => {
      const snapshot = await files.openSnapshot({ folder }, context);
      try {
        const plan = await files.plan(snapshot, { table: { name: 'a.csv' } }, { partitions: 1 });
        expect((await readPlan({ folder }, plan)).rows).toHaveLength(5_000);
        await snapshot.assertAlive();
        await change(join(folder, 'a.csv'));
        await expect(readPlan({ folder }, plan)).rejects.toMatchObject({ code: 'SNAPSHOT_LOST' });
        await expect(snapshot.assertAlive()).rejects.toMatchObject({ code: 'SNAPSHOT_LOST' });
      } finally {
        await snapshot.close();
      }
    });
  });

  test.each(changes)('%s: while it is read', async (_, change) => {
    await withFolder({ 'a.csv': `id,b\n${lines(10_000)}` }, async (folder) => {
      const snapshot = await files.openSnapshot({ folder }, context);
      try {
        const plan = await files.plan(snapshot, { table: { name: 'a.csv' } }, { partitions: 1 });
        const read = async () => {
          const [partition] = plan.partitions;
          const request = { plan, partition: partition!, batchRowsMax: 100, batchBytesMax: 1 << 20 };
          let batches = 0;
          for await (const _batch of files.read({ folder }, request, context)) {
            if (batches++ === 0) await change(join(folder, 'a.csv'));
          }
        };
        await expect(read()).rejects.toMatchObject({ code: 'SNAPSHOT_LOST' });
      } finally {
        await snapshot.close();
      }
    });
  });
});

describe('nothing outside of the folder is read', () => {
  test('links are passed over, and one that takes a file’s place is refused', async () => {
    await withFolder({ 'secret.csv': 'a,b\n1,2\n' }, async (outside) => {
      await withFolder({ 'a.csv': 'a,b\n3,4\n' }, async (folder) => {
        await symlink(join(outside, 'secret.csv'), join(folder, 'link.csv'));
        await mkdir(join(folder, 'sub'));
        await symlink(outside, join(folder, 'sub', 'folder'));
        const tables = await files.discover({ folder }, context);
        expect(tables.map(({ name }) => name)).toEqual(['a.csv']);
        for (const name of ['link.csv', 'sub/folder/secret.csv']) {
          await expect(readTable({ folder }, name)).rejects.toMatchObject({ code: 'TABLE_NOT_FOUND' });
        }
        const snapshot = await files.openSnapshot({ folder }, context);
        const plan = await files.plan(snapshot, { table: { name: 'a.csv' } }, { partitions: 1 });
        await rename(join(folder, 'a.csv'), join(folder, 'b.csv'));
        await symlink(join(outside, 'secret.csv'), join(folder, 'a.csv'));
        await expect(readPlan({ folder }, plan)).rejects.toMatchObject({ code: 'PATH_OUTSIDE' });
        await snapshot.close();
      });
    });
  });

  test.each(['../a.csv', 'a/../../b.csv', '/etc/passwd', 'a\\b.csv', 'a\0.csv', '**/..'])(
    '%j leads outside',
    (path) => {
      expect(() => assertInside(path)).toThrow(expect.objectContaining({ code: 'PATH_OUTSIDE' }));
      expect(() => assertInside('a..b/c.csv')).not.toThrow();
    },
  );
});

test('patterns: * within a folder, ** through folders, ? one character, the rest literally', () => {
  const matching = (pattern: string, paths: string[]) => paths.filter((path) => patternOf(pattern).test(path));
  const paths = ['a.csv', 'ab.csv', 'x/a.csv', 'x/y/a.csv', 'a+b.csv', 'aXcsv', '接种1.csv'];
  expect(matching('*.csv', paths)).toEqual(['a.csv', 'ab.csv', 'a+b.csv', '接种1.csv']);
  expect(matching('**/a.csv', paths)).toEqual(['a.csv', 'x/a.csv', 'x/y/a.csv']);
  expect(matching('x/**', paths)).toEqual(['x/a.csv', 'x/y/a.csv']);
  expect(matching('a?.csv', paths)).toEqual(['ab.csv']);
  expect(matching('a+b.csv', paths)).toEqual(['a+b.csv']);
  expect(matching('接种?.csv', paths)).toEqual(['接种1.csv']);
});
