/** An expired version, in every way that names one: what its readers are told, what strangers are, and what still holds. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { verifyVersion } from '../../../cli/verify-version.ts';
import { openChanges } from '../../../exchange/access/diff/changes.ts';
import { openDiff } from '../../../exchange/access/diff/diff.ts';
import { createGrant } from '../../../exchange/access/explicit-grants.ts';
import { Lookups } from '../../../exchange/access/lookup/lookups.ts';
import { openObject } from '../../../exchange/access/objects.ts';
import { openRead } from '../../../exchange/access/read.ts';
import { toReceipt } from '../../../exchange/audit/receipt.ts';
import { verifyReceipt } from '../../../exchange/audit/verify/receipt.ts';
import { fileCorrection } from '../../../exchange/duties/corrections.ts';
import { giveRating } from '../../../exchange/duties/ratings.ts';
import { recallVersion } from '../../../exchange/duties/recalls.ts';
import { collect } from '../../../exchange/publication/collect.ts';
import { expireVersions } from '../../../exchange/publication/expire.ts';
import { holdVersion, releaseVersion } from '../../../exchange/publication/version-holds.ts';
import type { Manifest } from '../../../schemas/generated/manifest.ts';
import { furnish } from './requests/support.ts';
import { type Bench, batchOf, bytesOf, openBench, principal } from './support.ts';

const DATASET = 'health.vaccinations';
const DAY = 24 * 60 * 60 * 1000;
const later = new Date(Date.now() + 1000 * DAY);

let bench: Bench;
let grant: string;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'huitong-expired-test-'));
  bench = await openBench({
    ...{ sharing: { class: 'conditional', basis: { zh: '依据', en: 'basis' } } },
    retention: { versionsMin: 1, versionDays: 1 },
  });
  await furnish(bench.world.catalog);
  for (const name of ['张三', '李四', '王五']) await bench.publish([[batchOf([[1n, name]])]]);
  const terms = {
    ...{ grantee: 'education', dataset: DATASET, items: ['id', '姓名'], purpose: 'case-check', legalBasis: '依法' },
    ...{ modes: ['bulk' as const, 'changes' as const, 'lookup' as const] },
    ...{ notBefore: '2026-01-01T00:00:00Z', expires: '2099-01-01T00:00:00Z' },
  };
  grant = (await createGrant(bench.world, { terms, actor: { actor: 'token:officer' } })).id;
});
afterAll(async () => {
  await bench.close();
  await rm(folder, { recursive: true });
});

const own = principal('health');
const reader = principal('education');
const stranger = principal('police');
const viewer = (who = reader) => ({ principal: who, actor: 'token:x', person: `hmac-sha256:${'0'.repeat(64)}` });
const read = (version: number | 'current', who = reader) =>
  openRead(bench.access, { principal: who, dataset: DATASET, version, format: 'json-lines' });
const expire = () => expireVersions(bench.world, { now: later, graceMs: 0 });

/** Each way to name version 1; what it is answered with. */
const ways: [name: string, ask: (who: typeof reader) => Promise<unknown>, code: string][] = [
  ['data', (who) => read(1, who), 'VERSION_EXPIRED'],
  ['manifest', (who) => openObject(bench.access, { principal: who, dataset: DATASET, version: 1 }), 'VERSION_EXPIRED'],
  [
    'a part',
    (who) => openObject(bench.access, { principal: who, dataset: DATASET, version: 1, part: 'a'.repeat(64) }),
    'VERSION_EXPIRED',
  ],
  [
    'a difference',
    (who) => openDiff(bench.access, { ...asked(who), from: 1, to: 'current', format: 'json' }),
    'VERSION_EXPIRED',
  ],
  [
    'changes up to it',
    (who) => openChanges(bench.access, { ...asked(who), since: 1, until: 1, format: 'csv' }),
    'VERSION_EXPIRED',
  ],
  [
    'changes since it',
    (who) => openChanges(bench.access, { ...asked(who), since: 1, until: 'current', format: 'csv' }),
    'CHANGES_UNAVAILABLE',
  ],
  [
    'a correction',
    (who) =>
      fileCorrection(bench.access, {
        ...{ viewer: viewer(who), dataset: DATASET, version: 1, key: { id: '1' }, item: '姓名', claim: '章三' },
        ...{ reason: '有误', address: '10.0.0.1', sealTo: bench.quarantineKey, at: new Date() },
      }),
    'VERSION_EXPIRED',
  ],
];
const asked = (who: typeof reader) => ({ principal: who, dataset: DATASET });

/** The version's files as `huitong version download` lays them. */
async function download(): Promise<void> {
  const at = { principal: own, dataset: DATASET, version: 1 };
  const manifest = await bytesOf((await openObject(bench.access, at)).stream);
  await mkdir(join(folder, 'parts'));
  await writeFile(join(folder, 'manifest.json'), manifest);
  for (const { parts } of (JSON.parse(manifest.toString()) as Manifest).segments) {
    for (const { digest } of parts) {
      await writeFile(
        join(folder, 'parts', digest),
        await bytesOf((await openObject(bench.access, { ...at, part: digest })).stream),
      );
    }
  }
}

describe('an expired version', () => {
  let receipt: ReturnType<typeof toReceipt>;
  beforeAll(async () => {
    const opened = await read(1);
    await bytesOf(opened.stream);
    await opened.closed;
    receipt = toReceipt(opened.opened);
    await download();
    expect(await expire()).toEqual({ expired: 2, failed: [] });
    await collect(bench.world, 0);
  });

  test.each(ways)(
    '%s: its reader is told so, with the refusal in the log; a stranger is told what everybody is',
    async (_, ask, code) => {
      const refusals = async () => {
        await bench.audit.drainOutbox();
        const entries = await bench.audit.reader.entries(0, 1_000);
        return entries.map(({ leaf }) => JSON.parse(leaf)).filter(({ rule }) => rule === 'VERSION_EXPIRED').length;
      };
      const before = await refusals();
      await expect(ask(reader)).rejects.toMatchObject({ code });
      await expect(ask(own)).rejects.toMatchObject({ code });
      if (!_.startsWith('a correction')) expect(await refusals()).toBe(before + 2);
      const absent = await read(99, stranger).catch((e: unknown) => e);
      expect(absent).toMatchObject({ code: 'NOT_FOUND' });
      await expect(ask(stranger)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    },
  );

  test('is not rated any more; it can be recalled, since its readers have it still', async () => {
    const rating = { viewer: viewer(), dataset: DATASET, version: 1, grant, stars: 5, reasons: '好' };
    await expect(giveRating(bench.world, rating)).rejects.toMatchObject({ code: 'VERSION_EXPIRED' });
    const provider = { ...viewer(own), principal: principal('health', 'sharing-officer') };
    const recall = await recallVersion(bench.world, { viewer: provider, dataset: DATASET, version: 1, reason: '有误' });
    expect(recall).toMatchObject({ version: 1, readers: 1 });
    await expect(read(1)).rejects.toMatchObject({ code: 'VERSION_RECALLED', message: expect.stringContaining('3') });
    await bench.world.catalog('version_recall').delete();
  });

  test('was downloaded before: it is still verified offline, and so is the receipt of a read', async () => {
    expect(await verifyVersion(folder, () => {})).toMatchObject({ version: 1, rows: 1, problems: [] });
    expect(verifyReceipt(receipt, bench.audit.publicKey)).toBeTruthy();
  });

  test('cannot be held any more; one that lives is held until its time, or until it is released', async () => {
    const held = { dataset: DATASET, by: { actor: 'token:x', onBehalfOf: 'health' } };
    const until = new Date(later.getTime() + DAY);
    const hold = (version: number, changes = {}) =>
      holdVersion(bench.world, { ...held, version, until, reason: '诉讼', ...changes });
    await expect(hold(1)).rejects.toMatchObject({ code: 'VERSION_EXPIRED' });
    await expect(hold(99)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(hold(3, { until: new Date(0) })).rejects.toMatchObject({ code: 'REQUEST_INVALID', pointer: '/until' });
    await hold(3, { until: new Date(Date.now() + DAY) });
    await hold(3);
    await bench.publish([[batchOf([[1n, '赵六']])]]);
    expect(await expire()).toMatchObject({ expired: 0 });
    await releaseVersion(bench.world, { ...held, version: 3 });
    await expect(releaseVersion(bench.world, { ...held, version: 3 })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await bench.audit.drainOutbox();
    const entries = await bench.audit.reader.entries(0, 1_000);
    const leaves = entries
      .map(({ leaf }) => JSON.parse(leaf))
      .filter(({ action }) => /^version[.](hold|release)$/.test(action));
    expect(leaves.map(({ action, detail }) => [action, detail?.until === until.toISOString()])).toEqual([
      ...[
        ['version.hold', false],
        ['version.hold', true],
        ['version.release', false],
      ],
    ]);
    expect(JSON.stringify(leaves)).not.toContain('诉讼');
    expect(await expire()).toMatchObject({ expired: 1 });
  });

  test('a reader in mid-stream keeps its version: it does not expire under it, and is whole to the end', async () => {
    await bench.publish([[batchOf([[1n, '钱七']])], [batchOf([[2n, '孙八']])]]);
    await bench.publish([[batchOf([[1n, '周九']])], [batchOf([[2n, '孙八']])]]);
    const opened = await read(5);
    expect(await expire()).toMatchObject({ expired: 1 });
    await collect(bench.world, 0);
    expect((await bytesOf(opened.stream)).toString()).toBe('{"id":1,"姓名":"钱七"}\n{"id":2,"姓名":"孙八"}\n');
    await opened.closed;
    expect(await expire()).toMatchObject({ expired: 1 });
    await expect(read(5)).rejects.toMatchObject({ code: 'VERSION_EXPIRED' });
  });

  test('look-ups are not answered from it: where no later version has an index, that is waited for', async () => {
    const lookups = new Lookups(bench.access, { directory: join(folder, 'lookups'), onFailure: () => {} });
    const lookUp = () =>
      lookups.lookUp({
        ...{
          principal: reader,
          dataset: DATASET,
          keys: [{ id: '1' }],
          purpose: 'case-check',
          matter: 'M',
          address: '10.0.0.1',
        },
      });
    const before = await lookUp();
    await bench.publish([[batchOf([[1n, '吴十']])], [batchOf([[2n, '孙八']])]]);
    expect(await expire()).toMatchObject({ expired: 1, failed: [] });
    const after = await lookUp();
    expect([after.version, after.records]).toEqual([before.version + 1, ['{"id":1,"姓名":"吴十"}']]);
    await lookups.close();
  });
});
