import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { postgres } from '../../../connectors/postgres/index.ts';
import { startPostgres } from '../../../runtime/embedded/postgres.ts';
import { contextOf, execute } from './support.ts';

const hasOpenssl = (() => {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

test.skipIf(!hasOpenssl)(
  'over TLS the rows are the same, and a certificate nobody vouches for is refused',
  async () => {
    const directory = await mkdtemp(join(tmpdir(), 'huitong-tls-'));
    chmodSync(directory, 0o711);
    const [cert, key] = [join(directory, 'server.crt'), join(directory, 'server.key')];
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
    execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:P-256',
        '-nodes',
        '-days',
        '2',
        '-keyout',
        key,
        '-out',
        cert,
        ...subject,
      ],
      { stdio: 'ignore' },
    );
    chmodSync(key, 0o600);
    const server = await startPostgres({
      directory,
      settings: ['ssl=on', `ssl_cert_file=${cert}`, `ssl_key_file=${key}`, 'fsync=off'],
    });
    try {
      const url = await server.database('secure');
      await execute(
        url,
        `create table large as select i as id, repeat('汇', i % 300) as filler from generate_series(1, 30000) i`,
      );
      const config = { url, ssl: { ca: readFileSync(cert, 'utf8') } };
      const snapshot = await postgres.openSnapshot(config, contextOf());
      const plan = await postgres.plan(snapshot, { table: { name: 'large' } }, { partitions: 1 });
      const request = { plan, partition: plan.partitions[0], batchRowsMax: 5_000, batchBytesMax: 1e6 } as Parameters<
        typeof postgres.read
      >[1];
      let [sum, bytes] = [0, 0];
      for await (const { batch } of postgres.read(config, request, contextOf())) {
        for (const id of batch.getChild('id') ?? []) sum += id;
        bytes += batch.getChild('filler')?.data[0]?.values.length;
      }
      const [{ used }] = (await execute(url, 'select count(*)::int as used from pg_stat_ssl where ssl')).rows;
      await snapshot.close();
      expect(used).toBeGreaterThan(0);
      expect(sum).toBe((30_000 * 30_001) / 2);
      expect(bytes).toBe(3 * ((30_000 / 300) * ((299 * 300) / 2)));
      await expect(postgres.openSnapshot({ url, ssl: true }, contextOf())).rejects.toMatchObject({
        code: 'SOURCE_TLS',
      });
      expect((await postgres.check({ url: `${url}?sslmode=require` }, contextOf())).ok).toBe(true);
    } finally {
      await server.stop();
      await rm(directory, { recursive: true, force: true });
    }
  },
);
