import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { httpStagingClient, joinSession } from '../../pipeline/http-staging.ts';
import type { StagingSession } from '../../pipeline/staging.ts';
import { type TestStaging, withStaging } from './staging-server.ts';

const assignment = {
  runId: 'run/一',
  dataset: 'd',
  department: 'health',
  source: { code: 's', kind: 'k', connection: {} },
  table: { name: 't' },
  contract: {},
  plan: { partitions: 1, controlTotals: false },
  quarantineKey: '',
};

async function withSession<T>(body: (session: StagingSession, staging: TestStaging) => Promise<T>): Promise<T> {
  return withStaging(assignment, async (staging) => {
    const session = await httpStagingClient({ url: staging.url, token: 'worker-token' }).openGeneration('run/一');
    return body(session, staging);
  });
}

describe('httpStagingClient', () => {
  test('a generation is opened with the worker’s token only', async () => {
    await withStaging(assignment, async ({ url }) => {
      const session = await httpStagingClient({ url, token: 'worker-token' }).openGeneration('run-1');
      expect(session.assignment).toMatchObject({ dataset: 'd', generation: 1 });
      const stranger = httpStagingClient({ url, token: 'someone-else' });
      await expect(stranger.openGeneration('run-1')).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    });
  });

  test('an object arrives as its chunks were written, and can be read by another thread’s session', async () => {
    await withSession(async (session, staging) => {
      const chunks = [randomBytes(3_000_000), Buffer.from('tail')];
      const writer = await session.openObject('part');
      for (const chunk of chunks) await writer.write(chunk);
      const stored = await writer.finish();
      const whole = Buffer.concat(chunks);
      const digest = createHash('sha256').update(whole).digest('hex');
      expect(stored).toEqual({ digest, sizeBytes: whole.byteLength });
      expect(staging.objects.get(digest)!.kind).toBe('part');
      const other = joinSession(structuredClone(session.handle), session.assignment);
      expect(Buffer.from(await other.readObject(digest)).equals(whole)).toBe(true);
    });
  });

  test('server failures and dropped connections are tried again where that is safe', async () => {
    await withSession(async (session, staging) => {
      const busy = () => ({ status: 503 });
      const drop = () => 'drop' as const;
      staging.failures.push(busy, drop);
      await expect(session.readObject('0'.repeat(64))).rejects.toMatchObject({ code: 'NOT_FOUND' });
      expect(staging.failures).toHaveLength(0);
      staging.failures.push(busy);
      const writer = await session.openObject('part');
      const upload = writer.write(Buffer.from('x')).then(() => writer.finish());
      await expect(upload).rejects.toMatchObject({ code: 'STAGING_UNREACHABLE', recovery: 'retriable' });
    });
  });

  test('a refusal in mid-upload is told as what it is', async () => {
    await withSession(async (session, staging) => {
      staging.failures.push(() => ({ status: 507, problem: { code: 'STORE_FULL', detail: 'no room' } }));
      const writer = await session.openObject('part');
      const upload = async () => {
        for (let i = 0; i < 200; i++) await writer.write(randomBytes(100_000));
        await writer.finish();
      };
      await expect(upload()).rejects.toMatchObject({ code: 'STORE_FULL', message: 'no room' });
    });
  });

  test('changed bytes are DIGEST_MISMATCH', async () => {
    await withSession(async (session, staging) => {
      const writer = await session.openObject('part');
      await writer.write(Buffer.from('abc'));
      const { digest } = await writer.finish();
      await expect(session.readObject(digest)).resolves.toHaveLength(3);
      staging.objects.get(digest)!.bytes[0]! ^= 1;
      await expect(session.readObject(digest)).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
    });
  });

  test('an aborted upload leaves nothing', async () => {
    await withSession(async (session, staging) => {
      const writer = await session.openObject('part');
      await writer.write(Buffer.from('half'));
      await writer.abort();
      await expect.poll(() => staging.broken).toBe(1);
      expect(staging.objects.size).toBe(0);
    });
  });

  test('once a newer generation is open, everything is FENCED', async () => {
    await withSession(async (session, staging) => {
      await httpStagingClient({ url: staging.url, token: 'worker-token' }).openGeneration('run/一');
      await expect(session.readObject('0'.repeat(64))).rejects.toMatchObject({ code: 'FENCED', recovery: 'fatal' });
    });
  });

  test('nobody there, and what is not the exchange, are told apart from refusals', async () => {
    const nobody = httpStagingClient({ url: 'ftp://127.0.0.1', token: 't' });
    await expect(nobody.openGeneration('r')).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    await withStaging(assignment, async ({ url }) => {
      const wrongPath = httpStagingClient({ url: `${url}/elsewhere`, token: 't' });
      await expect(wrongPath.openGeneration('r')).rejects.toMatchObject({ at: `${url}/elsewhere` });
    });
  });
});
