import { once } from 'node:events';
import { access } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { type AuditLog, openAuditLog } from '../../../../exchange/audit/audit-log.ts';
import { exportLog } from '../../../../exchange/audit/export.ts';
import type { HeldLog } from '../../../../exchange/audit/held-log.ts';
import { type Door, knock } from '../../../../exchange/audit/peers/door.ts';
import { serveLog } from '../../../../exchange/audit/peers/log-server.ts';
import { RemoteLog } from '../../../../exchange/audit/peers/remote-log.ts';
import { toReceipt } from '../../../../exchange/audit/receipt.ts';
import type { Appended } from '../../../../exchange/audit/tenure.ts';
import { verifyExport } from '../../../../exchange/audit/verify/export.ts';
import { verifyConsistency } from '../../../../exchange/audit/verify/proofs.ts';
import { verifyReceipt } from '../../../../exchange/audit/verify/receipt.ts';
import { HuitongError } from '../../../../lib/errors.ts';
import { limits } from '../../../../lib/limits.ts';
import { appendedSoon, type LogBench, leaf, newSigner, withLog } from '../support.ts';

const refused = (code: string) => expect.objectContaining({ code });
const calm = { silentMs: 60_000 };
const addressOf = async (bench: LogBench) =>
  (await bench.sql<{ address: string }>('select address from log_state'))[0]?.address as string;

/** A log that fails all that it is asked, unless told otherwise. */
function heldLog(more: Partial<HeldLog>): HeldLog {
  const fail = () => Promise.reject(new HuitongError('AUDIT_UNAVAILABLE', 'not here'));
  return { append: fail, head: fail, prove: fail, consistency: fail, drainOutbox: fail, ...more };
}

async function served(
  held: HeldLog,
  signer = newSigner(),
  { address, answerMs }: { address?: string; answerMs?: number } = {},
): Promise<{ door: Door; remote: RemoteLog; losses: unknown[] }> {
  const door = await serveLog(held, signer, address);
  const losses: unknown[] = [];
  const remote = new RemoteLog({ identity: signer, onLoss: (error) => losses.push(error), answerMs });
  onTestFinished(async () => {
    await remote.close();
    await door.close();
  });
  return { door, remote, losses };
}

/** Resolves when there is a connection: then a question is refused by the log, not for want of one. */
async function reached(remote: RemoteLog, address: string): Promise<void> {
  const asked = () => {
    remote.follow(address);
    return remote.head().catch((e: Error) => e.message);
  };
  await expect.poll(asked).not.toContain('not reached');
}

test('two servers, one log: what either appends has its own index, and every receipt and proof verifies', () =>
  withLog(async (bench) => {
    const logs = [await bench.open(calm), await bench.open(calm)] as [AuditLog, AuditLog];
    expect(logs.map((log) => log.isHolder())).toEqual([true, false]);
    const appended: Appended[] = [];
    const call = fc.record({ server: fc.nat(1), leaves: fc.integer({ min: 1, max: 4 }), proof: fc.nat(3) });
    await fc.assert(
      fc.asyncProperty(fc.array(call, { minLength: 1, maxLength: 40 }), async (calls) => {
        await Promise.all(
          calls.map(async ({ server, leaves, proof }) => {
            const log = logs[server] as AuditLog;
            const got = await log.appendMany(Array.from({ length: leaves }, (_, i) => leaf(i)));
            expect(got.map(({ index }) => index)).toEqual(got.map((_, i) => (got[0] as Appended).index + i));
            const { head, index } = got[0] as Appended;
            appended.push(...got);
            if (proof === 1) verifyReceipt(toReceipt(await log.reader.prove(index)), bench.signer.publicKey);
            if (proof === 2) {
              const newer = await log.reader.head();
              verifyConsistency(head, newer, await log.reader.consistency(head.size, newer.size));
            }
          }),
        );
      }),
      { numRuns: 8 },
    );
    expect(appended.map(({ index }) => index).sort((a, b) => a - b)).toEqual(appended.map((_, i) => i));
    const receipts = appended.map(toReceipt);
    for (const log of logs) {
      const verified = await verifyExport(exportLog(log.reader), { publicKey: bench.signer.publicKey, receipts });
      expect(verified).toMatchObject({ leaves: appended.length, receipts: appended.length });
    }
    await bench.sql(`insert into audit_outbox (leaf) values ($1)`, [JSON.stringify(leaf(7))]);
    await logs[1].drainOutbox();
    expect((await logs[1].reader.head()).size).toBe(appended.length + 1);
    await expect(logs[1].reader.prove(1_000_000)).rejects.toThrow(refused('NOT_FOUND'));
    await expect(logs[1].append({ ...leaf(1), action: '' })).rejects.toThrow(refused('AUDIT_LEAF_INVALID'));
  }));

test('a holder that stops in order hands over at once, and leaves no socket behind', () =>
  withLog(async (bench) => {
    const first = await bench.open(calm);
    const second = await bench.open(calm);
    const path = (await addressOf(bench)).replace('unix:', '');
    await access(path);
    await second.append(leaf(1));
    await first.close();
    await expect(access(path)).rejects.toThrow(refused('ENOENT'));
    expect(await appendedSoon(second, leaf(2))).toMatchObject({ index: 1 });
    expect(second.isHolder()).toBe(true);
    // A third one joins, and finds the new address.
    const third = await bench.open(calm);
    expect((await third.append(leaf(3))).index).toBe(2);
    expect(third.isHolder()).toBe(false);
  }));

test('a silent holder, whose session nobody would end, is replaced; its next flush changes nothing', () =>
  withLog(async (bench) => {
    const silent = await bench.open({ beatMs: 600_000, silentMs: 600_000 });
    await silent.append(leaf(1));
    const [before] = await bench.sql<{ epoch: string }>('select epoch from log_state');
    const second = await bench.open({ silentMs: 300 });
    await expect.poll(() => second.isHolder()).toBe(true);
    const [after] = await bench.sql<{ epoch: string }>('select epoch from log_state');
    expect(Number(after?.epoch)).toBeGreaterThan(Number(before?.epoch));
    const appended = [await appendedSoon(second, leaf(2)), await appendedSoon(silent, leaf(3))];
    expect(appended.map(({ index }) => index)).toEqual([1, 2]);
    const entries = await second.reader.entries(0, 10);
    expect(entries.map(({ leaf: text }) => JSON.parse(text).rows)).toEqual([1, 2, 3]);
  }));

test('a holder that gives signs of life is left in office, however long it has nothing to write', () =>
  withLog(async (bench) => {
    const first = await bench.open({ beatMs: 20, ...calm });
    const [before] = await bench.sql<{ updated_at: Date }>('select updated_at from log_state');
    await expect
      .poll(async () => (await bench.sql<{ updated_at: Date }>('select updated_at from log_state'))[0]?.updated_at)
      .not.toEqual(before?.updated_at);
    expect(first.isHolder()).toBe(true);
    // Fenced by another's epoch, it finds out by itself.
    await bench.sql('update log_state set epoch = epoch + 1');
    await expect.poll(() => bench.events.some(({ kind }) => kind === 'lost')).toBe(true);
    expect(await appendedSoon(first, leaf(1))).toMatchObject({ index: 0 });
  }));

test('a question whose answer was lost is AUDIT_UNAVAILABLE, and is never sent again', async () => {
  let asked = 0;
  const signer = newSigner();
  const unanswering = heldLog({
    append: () => {
      asked++;
      return new Promise(() => {});
    },
  });
  const { door, remote } = await served(unanswering, signer);
  await reached(remote, door.address);
  const lost = remote.append([Buffer.from('leaf')]);
  lost.catch(() => {});
  await expect.poll(() => asked).toBe(1);
  // Another holder: what the former was asked is given up.
  const other = await serveLog(unanswering, signer, undefined);
  onTestFinished(() => other.close());
  remote.follow(other.address);
  await expect(lost).rejects.toThrow(refused('AUDIT_UNAVAILABLE'));
  await reached(remote, other.address);
  expect(asked).toBe(1);
});

test('a holder that never answers is given up after a while, and reached again', async () => {
  let silent = true;
  const held = heldLog({ drainOutbox: () => (silent ? new Promise(() => {}) : Promise.resolve(7)) });
  const { door, remote, losses } = await served(held, newSigner(), { answerMs: 50 });
  await reached(remote, door.address);
  await expect(remote.drainOutbox()).rejects.toThrow(refused('AUDIT_UNAVAILABLE'));
  await expect.poll(() => losses.length).toBeGreaterThan(0);
  silent = false;
  const again = () => {
    remote.follow(door.address);
    return remote.drainOutbox().catch(() => 0);
  };
  await expect.poll(again).toBe(7);
});

test.each([
  ['a Unix-domain socket', undefined],
  ['TCP', 'tcp://127.0.0.1:0'],
])('nobody without the key comes in, nor is believed: %s', async (_, address) => {
  const signer = newSigner();
  const { door, remote } = await served(heldLog({ drainOutbox: async () => 42 }), signer, { address });
  expect(door.address).toMatch(address === undefined ? /^unix:/ : /^tcp:\/\/127\.0\.0\.1:\d+$/);
  await reached(remote, door.address);
  expect(await remote.drainOutbox()).toBe(42);

  await expect(knock(newSigner(), door.address)).rejects.toThrow();
  await expect(knock({ ...signer, origin: 'huitong.test/other' }, door.address)).rejects.toThrow();
  // Neither TLS nor a frame.
  const place = address === undefined ? { path: door.address.slice(5) } : { host: '127.0.0.1', port: portOf(door) };
  const stranger = connect(place);
  stranger.on('error', () => {});
  stranger.end('GET / HTTP/1.1\r\n\r\n');
  await once(stranger.resume(), 'close');
  const peer = await knock(signer, door.address);
  peer.on('error', () => {});
  peer.write(Buffer.alloc(64, 0xff));
  await once(peer.resume(), 'close');
  expect(await remote.drainOutbox()).toBe(42);
});

const portOf = (door: Door) => Number(new URL(door.address.replace('tcp:', 'http:')).port);

test('an answer that is not in the log it names is not handed on', () =>
  withLog(async (bench) => {
    const log = await bench.open();
    const [one, two] = (await log.appendMany([leaf(1), leaf(2)])) as [Appended, Appended];
    let answer = one;
    const { door, remote } = await served(
      heldLog({ append: async () => [answer], prove: async () => answer }),
      bench.signer,
    );
    await reached(remote, door.address);
    expect(await remote.append([one.entry])).toEqual([one]);
    expect(await remote.prove(0)).toEqual(one);
    answer = { ...one, proof: two.proof };
    await expect(remote.append([one.entry])).rejects.toThrow(refused('AUDIT_VERIFY_FAILED'));
    answer = { ...one, head: { ...one.head, note: one.head.note.replace('\n2\n', '\n3\n') } };
    await expect(remote.append([one.entry])).rejects.toThrow(refused('AUDIT_VERIFY_FAILED'));
  }));

test('what went wrong at the holder keeps its code, and a defect there tells nothing', async () => {
  let failure: Error = new HuitongError('AUDIT_CORRUPT', 'a leaf is missing');
  const { door, remote } = await served(heldLog({ consistency: () => Promise.reject(failure) }));
  await reached(remote, door.address);
  await expect(remote.consistency(1, 2)).rejects.toThrow(refused('AUDIT_CORRUPT'));
  failure = new Error('of 440306199001011234');
  const error = await remote.consistency(1, 2).catch((e: Error) => e);
  expect(error).toEqual(refused('INTERNAL'));
  expect(String(error)).not.toContain('4403');
});

test('questions that wait are limited; those beyond are refused at once, and the others are answered', async () => {
  let release = () => {};
  const waiting = new Promise<void>((resolve) => {
    release = resolve;
  });
  const { door, remote } = await served(heldLog({ drainOutbox: () => waiting.then(() => 1) }));
  await reached(remote, door.address);
  const asked = Array.from({ length: limits.auditPeerQuestionsMax }, () => remote.drainOutbox());
  await expect(remote.drainOutbox()).rejects.toThrow(refused('AUDIT_UNAVAILABLE'));
  release();
  expect((await Promise.all(asked)).reduce((sum, one) => sum + one, 0)).toBe(limits.auditPeerQuestionsMax);
  expect(await remote.drainOutbox()).toBe(1);
  const tooLarge = Array.from({ length: 200 }, () => Buffer.alloc(limits.auditLeafBytesMax));
  await expect(remote.append(tooLarge)).rejects.toThrow(refused('AUDIT_LEAF_INVALID'));
});

test('large answers to a peer that reads slowly are held back, not piled up', async () => {
  const note = Buffer.alloc(200_000, 97);
  const signer = newSigner();
  let answered = 0;
  const held = heldLog({
    consistency: async () => {
      answered++;
      return [note.subarray(0, 32 * 6_000)];
    },
  });
  const { door } = await served(held, signer);
  const peer = await knock(signer, door.address);
  peer.pause();
  const { encodeCount, encodeFrame, questions } = await import('../../../../exchange/audit/peers/frames.ts');
  const pieces = [encodeCount(1), encodeCount(2)];
  const many = 2_000;
  for (let number = 0; number < many; number++) {
    peer.write(encodeFrame({ kind: questions.consistency, number, pieces }));
    if (number % 100 === 0) await sleep(1);
  }
  // 400 MB would be the answers to all of them.
  let before = -1;
  while (before !== answered) {
    before = answered;
    await sleep(50);
  }
  expect(answered).toBeLessThan(many);
  peer.destroy();
});

test('an address that other servers could not use, or where something else listens, is told at the start', () =>
  withLog(async ({ url, signer, headStore }) => {
    const open = (address: string) => openAuditLog({ url, signer, headStore, address });
    await expect(open('tcp://0.0.0.0:8490')).rejects.toThrow(refused('CONFIG_INVALID'));
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as { port: number };
    await expect(open(`tcp://127.0.0.1:${port}`)).rejects.toThrow(refused('CONFIG_INVALID'));
    taken.close();
    await once(taken, 'close');
    const log = await open(`tcp://127.0.0.1:${port}`);
    expect((await log.append(leaf(1))).index).toBe(0);
    await log.close();
  }));
