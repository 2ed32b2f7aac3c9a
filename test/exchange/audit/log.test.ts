import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { exportLog } from '../../../exchange/audit/export.ts';
import { keyedHash } from '../../../exchange/audit/leaf.ts';
import { toReceipt } from '../../../exchange/audit/receipt.ts';
import type { Appended } from '../../../exchange/audit/tenure.ts';
import { verifyExport } from '../../../exchange/audit/verify/export.ts';
import { readPublicKey, verifyHead } from '../../../exchange/audit/verify/head.ts';
import { verifyConsistency } from '../../../exchange/audit/verify/proofs.ts';
import { verifyReceipt } from '../../../exchange/audit/verify/receipt.ts';
import { appendedSoon, type LogBench, leaf, newSigner, withLog } from './support.ts';

const refused = (code: string) => expect.objectContaining({ code });
const eventually = (check: () => boolean) => expect.poll(check).toBe(true);
const indexes = (appended: Appended[]) => appended.map(({ index }) => index);
async function reopened(bench: LogBench, openings: number): Promise<void> {
  await eventually(() => bench.events.filter((event) => event.kind === 'opened').length >= openings);
}

test('an appended leaf is committed under a signed head, and its receipt verifies offline', () =>
  withLog(async (bench) => {
    const log = await bench.open();
    const appended = await log.append(leaf(7));
    expect(appended.index).toBe(0);
    const [state] = await bench.sql<{ size: string; head: string }>('select size, head from log_state');
    expect(state).toEqual({ size: '1', head: appended.head.note });
    const receipt = JSON.parse(JSON.stringify(toReceipt(appended)));
    expect(verifyReceipt(receipt, bench.signer.publicKey).size).toBe(1);
    expect(JSON.parse(receipt.leaf)).toMatchObject({ action: 'dataset.opened', rows: 7 });
    const forged = { ...receipt, leaf: receipt.leaf.replace('"rows":7', '"rows":8') };
    expect(() => verifyReceipt(forged, bench.signer.publicKey)).toThrow(refused('AUDIT_VERIFY_FAILED'));
    expect(() => verifyReceipt(receipt, newSigner().publicKey)).toThrow(refused('AUDIT_VERIFY_FAILED'));
    expect(() => verifyReceipt({ ...receipt, proof: ['AA=='] }, bench.signer.publicKey)).toThrow(
      refused('AUDIT_VERIFY_FAILED'),
    );
  }));

test('a head whose text was changed is not signed', () =>
  withLog(async (bench) => {
    const { head } = await (await bench.open()).append(leaf(1));
    const pem = bench.signer.publicKey.export({ format: 'pem', type: 'spki' }).toString();
    expect(verifyHead(head.note, readPublicKey(pem)).size).toBe(1);
    expect(() => readPublicKey('no key')).toThrow(refused('AUDIT_VERIFY_FAILED'));
    const larger = head.note.replace('\n1\n', '\n2\n');
    expect(larger).not.toBe(head.note);
    expect(() => verifyHead(larger, bench.signer.publicKey)).toThrow(refused('AUDIT_VERIFY_FAILED'));
    const otherAlgorithm = head.note.replace('algorithm ed25519', 'algorithm sm2-sm3');
    expect(() => verifyHead(otherAlgorithm, bench.signer.publicKey)).toThrow(refused('AUDIT_VERIFY_FAILED'));
  }));

test('concurrent appenders share flushes, every leaf gets its own index, and none is lost', () =>
  withLog(async (bench) => {
    const log = await bench.open();
    const appended: Appended[] = [];
    await Promise.all(
      Array.from({ length: 64 }, async (_, appender) => {
        for (let i = 0; i < 20; i++) appended.push(await log.append(leaf(appender * 100 + i)));
      }),
    );
    const batch = await log.appendMany([leaf(1), leaf(2), leaf(3)]);
    expect(indexes(batch)).toEqual([1280, 1281, 1282]);
    expect(new Set(indexes(appended)).size).toBe(1280);
    for (const one of appended) verifyReceipt(toReceipt(one), bench.signer.publicKey);
    const heads = new Set(appended.map(({ head }) => head.size));
    expect(heads.size).toBeLessThan(640);
    const stored = await bench.sql<{ index: string; entry: Buffer }>(
      'select index, entry from log_entry order by index',
    );
    for (const { index, entry } of appended) expect(stored[index]?.entry.equals(entry)).toBe(true);
    const verified = await verifyExport(exportLog(log.reader), {
      publicKey: bench.signer.publicKey,
      earlierHeads: appended.slice(0, 5).map(({ head }) => head.note),
      receipts: appended.slice(0, 5).map(toReceipt),
    });
    expect(verified).toMatchObject({ leaves: 1283, earlierHeads: 5, receipts: 5 });
  }));

test('the log goes on where it stopped; old leaves and heads are proved under the new head', () =>
  withLog(async (bench) => {
    const first = await bench.open();
    const old = await first.appendMany(Array.from({ length: 700 }, (_, i) => leaf(i)));
    await first.close();
    const second = await bench.open();
    const newer = await second.append(leaf(700));
    expect(newer.index).toBe(700);
    const again = await second.reader.prove(3);
    expect(again.entry.equals((old[3] as Appended).entry)).toBe(true);
    verifyReceipt(toReceipt(again), bench.signer.publicKey);
    const proof = await second.reader.consistency(700, 701);
    verifyConsistency((old[0] as Appended).head, newer.head, proof);
    await expect(second.reader.prove(701)).rejects.toThrow(refused('NOT_FOUND'));
  }));

test.each([
  ['a changed entry', `update log_entry set entry = overlay(entry placing 'X'::bytea from 5) where index = 41`],
  ['a removed entry', 'delete from log_entry where index = 299'],
  [
    'two entries exchanged',
    'update log_entry set index = case index when 10 then 11 else 10 end where index in (10, 11)',
  ],
])('%s is found by an offline check of the export', (_, tamper) =>
  withLog(async (bench) => {
    const log = await bench.open();
    await log.appendMany(Array.from({ length: 300 }, (_, i) => leaf(i)));
    const options = { publicKey: bench.signer.publicKey };
    expect((await verifyExport(exportLog(log.reader), options)).leaves).toBe(300);
    await bench.sql('alter table log_entry drop constraint log_entry_pkey');
    await bench.sql(tamper);
    await expect(verifyExport(exportLog(log.reader), options)).rejects.toThrow(refused('AUDIT_VERIFY_FAILED'));
  }),
);

test('an export with an earlier head, or a receipt of another leaf, is found out', () =>
  withLog(async (bench) => {
    const log = await bench.open();
    const [one] = await log.appendMany([leaf(1), leaf(2)]);
    const lines: string[] = [];
    for await (const line of exportLog(log.reader)) lines.push(line);
    const check = (text: string[], options = {}) =>
      verifyExport(stream(text), { publicKey: bench.signer.publicKey, ...options });
    expect((await check(lines)).leaves).toBe(2);
    await expect(check(lines.slice(0, 2))).rejects.toThrow(refused('AUDIT_VERIFY_FAILED'));
    await expect(check([])).rejects.toThrow(refused('AUDIT_VERIFY_FAILED'));
    const later = await log.append(leaf(3));
    await expect(check(lines, { receipts: [toReceipt(later)] })).rejects.toThrow(refused('AUDIT_VERIFY_FAILED'));
    await expect(check(lines, { earlierHeads: [later.head.note] })).rejects.toThrow(refused('AUDIT_VERIFY_FAILED'));
    expect((await check(lines, { receipts: [toReceipt(one as Appended)] })).receipts).toBe(1);
  }));

async function* stream(lines: string[]): AsyncGenerator<string> {
  yield* lines;
}

test('a sequencer whose session is taken away loses nothing that it had acknowledged, and goes on by itself', () =>
  withLog(async (bench) => {
    const log = await bench.open();
    const acknowledged: Appended[] = [];
    let refusals = 0;
    let running = true;
    const appenders = Array.from({ length: 16 }, async (_, n) => {
      while (running) {
        try {
          acknowledged.push(await log.append(leaf(n)));
        } catch (e: unknown) {
          expect(e).toEqual(refused('AUDIT_UNAVAILABLE'));
          refusals++;
          await sleep(5);
        }
      }
    });
    for (let kill = 1; kill <= 6; kill++) {
      await sleep(20 + 13 * kill);
      await bench.sql(`select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and application_name = 'huitong audit sequencer'`);
      await reopened(bench, kill + 1);
    }
    running = false;
    await Promise.all(appenders);
    expect(refusals).toBeGreaterThan(0);
    const stored = await bench.sql<{ index: string; entry: Buffer }>(
      'select index, entry from log_entry order by index',
    );
    expect(stored.map(({ index }) => Number(index))).toEqual(stored.map((_, i) => i));
    for (const { index, entry } of acknowledged) expect(stored[index]?.entry.equals(entry)).toBe(true);
    expect(new Set(indexes(acknowledged)).size).toBe(acknowledged.length);
    const receipts = acknowledged.map(toReceipt);
    const verified = await verifyExport(exportLog(log.reader), { publicKey: bench.signer.publicKey, receipts });
    expect(verified.receipts).toBe(acknowledged.length);
  }));

test('of two rivals one is in office; the other takes over when it goes, and an older epoch writes nothing', () =>
  withLog(async (bench) => {
    // Without signs of life, so that only the flush finds out who took over.
    const first = await bench.open({ beatMs: 60_000, silentMs: 60_000 });
    await first.append(leaf(1));
    const second = await bench.open({ silentMs: 60_000 });
    expect(bench.events.filter(({ kind }) => kind === 'opened')).toHaveLength(1);
    // The lock is bypassed, as by a fail-over: only the compare-and-set stands between two writers.
    await bench.sql('update log_state set epoch = epoch + 1');
    await expect(first.append(leaf(2))).rejects.toThrow(refused('AUDIT_UNAVAILABLE'));
    expect(await bench.sql('select count(*)::int as n from log_entry')).toEqual([{ n: 1 }]);
    await first.close();
    expect(await appendedSoon(second, leaf(3))).toMatchObject({ index: 1 });
    await expect(first.append(leaf(4))).rejects.toThrow(refused('AUDIT_UNAVAILABLE'));
  }));

/** It opens, and says why it writes and shows nothing. */
async function expectRefused(bench: LogBench, code: 'AUDIT_REGRESSION' | 'AUDIT_CORRUPT'): Promise<void> {
  const log = await bench.open();
  expect(log.refusal()).toEqual(refused(code));
  expect(log.isHolder()).toBe(false);
  await expect(log.append(leaf(9))).rejects.toThrow(refused(code));
  await expect(log.reader.head()).rejects.toThrow(refused(code));
  expect(bench.events.at(-1)).toMatchObject({ kind: 'refused' });
  await log.close();
}

test('a database that is behind the kept head, or differs from it, is never signed', () =>
  withLog(async (bench) => {
    const log = await bench.open();
    await log.append(leaf(1));
    const backup = await bench.sql<{ size: string; root: Buffer; head: string }>('select * from log_state');
    await log.append(leaf(2));
    await log.close();
    const kept = bench.headStore.note;
    expect(kept).toContain('\n2\n');
    await bench.sql('delete from log_entry where index = 1');
    const { size, root, head } = backup[0] as (typeof backup)[0];
    await bench.sql('update log_state set size = $1, root = $2, head = $3', [size, root, head]);
    await expectRefused(bench, 'AUDIT_REGRESSION');

    // The same database that went on along another path: as large as the kept head, with other leaves.
    bench.headStore.note = undefined;
    const other = await bench.open();
    await other.appendMany([leaf(3), leaf(4)]);
    await other.close();
    bench.headStore.note = kept;
    await expectRefused(bench, 'AUDIT_REGRESSION');
  }));

test('tables that contradict the signed state are refused at the start', () =>
  withLog(async (bench) => {
    const log = await bench.open();
    await log.appendMany(Array.from({ length: 600 }, (_, i) => leaf(i)));
    await log.close();
    await bench.sql(`update log_tile set hashes = overlay(hashes placing '\\x00'::bytea from 9) where index = 0`);
    await expectRefused(bench, 'AUDIT_CORRUPT');
    await bench.sql('delete from log_tile');
    await expectRefused(bench, 'AUDIT_CORRUPT');
  }));

test('leaves from the outbox enter the log exactly once, across lost sessions, and an invalid one holds up no other', () =>
  withLog(async (bench) => {
    const log = await bench.open();
    const insert =
      'insert into audit_outbox (leaf) select jsonb_set($1::jsonb, $2, to_jsonb(n)) from generate_series(1, 2500) n';
    await bench.sql(insert, [JSON.stringify(leaf(0)), '{rows}']);
    await bench.sql(`insert into audit_outbox (leaf) values ('{"action":"no leaf"}')`);
    await bench.sql(`select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and application_name = 'huitong audit sequencer'`);
    await reopened(bench, 2);
    await eventually(() => bench.events.some(({ kind }) => kind === 'outbox-invalid'));
    await log.drainOutbox();
    const entries = await log.reader.entries(0, 10_000);
    const outbox = entries.map(({ leaf: text }) => JSON.parse(text).outbox as number);
    expect(outbox).toEqual(Array.from({ length: 2500 }, (_, i) => i + 1));
    expect(await bench.sql('select id from audit_outbox')).toEqual([{ id: '2501' }]);
  }));

test('what was taken from the outbox is told once it is in the log', () =>
  withLog(async ({ open, sql }) => {
    const told: string[] = [];
    const log = await open({
      onMoved: (leaves) => {
        told.push(...leaves.map(({ object }) => object));
      },
    });
    for (const object of ['dataset/a/version/1', 'dataset/a/version/2']) {
      await sql('insert into audit_outbox (leaf) values ($1)', [JSON.stringify({ ...leaf(0), object })]);
    }
    await expect.poll(() => told).toEqual(['dataset/a/version/1', 'dataset/a/version/2']);
    expect((await log.reader.entries(0, 10)).map(({ leaf: text }) => JSON.parse(text).object)).toEqual(told);
  }));

test('a leaf with an unknown member, a bare resident ID or a wrong hash is refused without echoing it', () =>
  withLog(async (bench) => {
    const log = await bench.open();
    const key = Buffer.alloc(32, 1);
    const fine = { ...leaf(1), subject: keyedHash(key, '张三'), matter: '11440300MB2D123456444000' };
    expect((await log.append(fine)).index).toBe(0);
    const id = '110101199003077774';
    for (const bad of [{ object: `resident/${id}` }, { subject: '张三' }, { extra: 1 }, { action: '' }, { rows: -1 }]) {
      const error = await log.append({ ...leaf(1), ...bad }).catch((e: Error) => e);
      expect(error).toEqual(refused('AUDIT_LEAF_INVALID'));
      expect(JSON.stringify(error)).not.toContain(id);
    }
    expect((await log.reader.head()).size).toBe(1);
  }));

test('a head store that fails does not stop the log, and is told of', () =>
  withLog(async (bench) => {
    const log = await bench.open();
    const write = bench.headStore.write;
    bench.headStore.write = () => Promise.reject(new Error('disk full'));
    expect((await log.append(leaf(1))).index).toBe(0);
    await eventually(() => bench.events.some(({ kind }) => kind === 'head-not-kept'));
    bench.headStore.write = write;
    const { head } = await log.append(leaf(2));
    await eventually(() => bench.headStore.note === head.note);
  }));
