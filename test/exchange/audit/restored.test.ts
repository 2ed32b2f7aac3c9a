/** FAULTS 25: a catalog that was restored from an older backup than the store. Read-only until a person decides. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { acceptRestoredLog } from '../../../exchange/audit/accept.ts';
import { type AuditLog, openAuditLog } from '../../../exchange/audit/audit-log.ts';
import { addLeaf } from '../../../exchange/publication/outbox.ts';
import { listVersions } from '../../../exchange/publication/versions.ts';
import { DATASET, openWorld, type World } from '../publication/world.ts';
import { newSigner } from './support.ts';

const refused = (code: string) => expect.objectContaining({ code });
const subject = `hmac-sha256:${'0'.repeat(64)}`;
const publish = { actor: 'token:t', action: 'dataset.publish', object: 'dataset/d', decision: 'allow' as const };

let world: World;
const signer = newSigner();
const headStore = { note: undefined as string | undefined, read: async () => headStore.note, write: keep };
async function keep(note: string): Promise<void> {
  headStore.note = note;
}
const open = () => openAuditLog({ url: world.url, signer, headStore });

beforeEach(async () => {
  headStore.note = undefined;
  world = await openWorld();
});
afterEach(() => world.close());

/** Two versions in the log; then the database as it was when there was one. Gives the head that it lost. */
async function loseOneVersion(): Promise<string> {
  const tables = ['log_state', 'log_entry', 'log_tile', 'audit_outbox', 'version', 'dataset', 'run', 'staged_object'];
  const log = await open();
  await world.publish([['one', 1]]);
  await log.drainOutbox();
  await log.close();
  for (const table of tables) await world.catalog.raw(`create table backup_${table} as table ${table}`);
  const later = await open();
  await world.publish([['two', 1]]);
  await later.drainOutbox();
  await later.close();
  await world.catalog.transaction(async (transaction) => {
    await transaction.raw(`set local session_replication_role = 'replica'`);
    for (const table of tables) await transaction.raw(`delete from ${table}`);
    for (const table of tables) {
      const { rows } = await transaction.raw(
        `select string_agg(quote_ident(attname), ', ') as columns from pg_attribute
         where attrelid = '${table}'::regclass and attnum > 0 and not attisdropped and attgenerated = ''`,
      );
      const [{ columns }] = rows;
      await transaction.raw(`insert into ${table} (${columns}) select ${columns} from backup_${table}`);
    }
  });
  return headStore.note as string;
}

const versions = async () => (await listVersions(world, { dataset: DATASET })).items.map(({ number }) => number);

test('nothing is published and nothing collected while the log is behind; the newer state, restored, ends that', async () => {
  const lost = await loseOneVersion();
  const log = await open();
  expect(log.refusal()).toEqual(refused('AUDIT_REGRESSION'));
  // The passes that remove objects are done by the log's holder only (runtime/housekeeping.ts).
  expect(log.isHolder()).toBe(false);
  await expect(world.publish([['three', 1]])).rejects.toThrow(refused('AUDIT_REGRESSION'));
  await expect(addLeaf(world.catalog, publish)).rejects.toThrow(refused('AUDIT_REGRESSION'));
  expect(await versions()).toEqual([1]);
  expect(headStore.note).toBe(lost);
  await log.close();
  // Stands for the newer backup: nothing that was signed is missing any more.
  headStore.note = undefined;
  const whole = await open();
  expect(whole.refusal()).toBeUndefined();
  expect(await world.publish([['three', 1]])).toMatchObject({ outcome: 'published', version: 2 });
  await whole.close();
});

test('a person decides: the size has to be the right one, what was lost stands in the log, and it goes on', async () => {
  const lost = await loseOneVersion();
  const decide = (size: number) =>
    acceptRestoredLog({ url: world.url, signer, headStore }, { size, subject, reason: 'the newer backup is damaged' });
  const serving = await open();
  await serving.close();
  await expect(decide(2)).rejects.toThrow(refused('REQUEST_INVALID'));
  expect(headStore.note).toBe(lost);
  await expect(world.publish([['three', 1]])).rejects.toThrow(refused('AUDIT_REGRESSION'));

  expect(await decide(1)).toBe(lost);
  const log: AuditLog = await open();
  try {
    expect(log.refusal()).toBeUndefined();
    await expect(decide(1)).rejects.toThrow(refused('AUDIT_UNAVAILABLE'));
    expect(await world.publish([['three', 1]])).toMatchObject({ outcome: 'published', version: 2 });
    await log.drainOutbox();
    const leaves = (await log.reader.entries(0, 10)).map(({ leaf }) => JSON.parse(leaf));
    expect(leaves.map(({ action }) => action)).toEqual([
      'dataset.publish',
      'log.regression-accepted',
      'dataset.publish',
    ]);
    expect(leaves[1]).toMatchObject({
      subject,
      detail: {
        reason: 'the newer backup is damaged',
        size: 1,
        lostSize: 2,
        lostRoot: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
    });
  } finally {
    await log.close();
  }
  await expect(decide(3)).rejects.toThrow(refused('REQUEST_INVALID'));
});
