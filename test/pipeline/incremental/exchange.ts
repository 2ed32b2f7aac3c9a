/** The publication's own functions behind the staging routes, so that real threads read, stage and commit increments. */

import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readAtOf, readBatches } from '../../../columnar/read.ts';
import type { Connector } from '../../../connectors/connector.ts';
import { commitRun } from '../../../exchange/publication/commit.ts';
import { openGeneration } from '../../../exchange/publication/generations.ts';
import type { CommitOutcome, Reading, Run } from '../../../exchange/publication/publication.ts';
import { recheckRun } from '../../../exchange/publication/recheck.ts';
import { beginRun, getRun } from '../../../exchange/publication/runs.ts';
import { readStaged, stageObject } from '../../../exchange/publication/staging.ts';
import { readManifest, resolveVersion } from '../../../exchange/publication/versions.ts';
import { readWhole } from '../../../exchange/store/read-whole.ts';
import { toHuitongError } from '../../../lib/errors.ts';
import { generateBoxKeys } from '../../../lib/sealed-box.ts';
import { extract } from '../../../pipeline/extract.ts';
import { httpStagingClient } from '../../../pipeline/http-staging.ts';
import type { DatasetDefinition } from '../../../schemas/generated/dataset.ts';
import type { Manifest } from '../../../schemas/generated/manifest.ts';
import type { RunReport } from '../../../schemas/generated/run-report.ts';
import { DATASET, openWorld, runRequest, type World } from '../../exchange/publication/world.ts';

const keys = generateBoxKeys();

export interface Exchange {
  world: World;
  /** Extracts; nothing is committed. */
  extract(options?: PublishOptions): Promise<Extracted>;
  commit(extracted: Extracted): Promise<CommitOutcome>;
  publish(options?: PublishOptions): Promise<{ outcome: CommitOutcome; run: Run; report: RunReport }>;
  manifest(): Promise<Manifest>;
  /** Key to the second column, of the current version. */
  rows(): Promise<Map<number, string | null>>;
  define(changes: Partial<DatasetDefinition>): Promise<void>;
  close(): Promise<void>;
}

export interface PublishOptions {
  reading?: Reading;
  confirm?: boolean;
}

export interface Extracted {
  runId: string;
  generation: number;
  reportDigest: string;
  report: RunReport;
}

/** An exchange whose only worker is a department's: everything is checked again. */
export async function openExchange(
  source: { connector: Connector; config: unknown; threadEntry?: URL },
  definition: Partial<DatasetDefinition>,
): Promise<Exchange> {
  const world = await openWorld(definition);
  const server = createServer((request, response) => {
    answer(world, request, response).catch((e: unknown) => {
      const { code, message } = toHuitongError(e);
      const status = code === 'NOT_FOUND' ? 404 : 409;
      response.writeHead(status, { 'content-type': 'application/problem+json' });
      response.end(JSON.stringify({ code, detail: message }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { signal } = new AbortController();
  const exchange: Exchange = {
    world,
    async extract({ reading, confirm } = {}) {
      const runId = randomUUID();
      await beginRun(world, { ...runRequest(runId), reading, confirm });
      const session = await httpStagingClient({ url, token: 'worker' }).openGeneration(runId);
      const { report, staged } = await extract({ ...source, session, signal, threads: 1 });
      return { runId, generation: session.generation, reportDigest: staged.digest, report };
    },
    async commit(extracted) {
      await recheckRun(world, extracted, signal);
      return commitRun(world, extracted);
    },
    async publish(options) {
      const extracted = await exchange.extract(options);
      const outcome = await exchange.commit(extracted);
      return { outcome, run: await getRun(world, extracted.runId), report: extracted.report };
    },
    manifest: async () => readManifest(world, await resolveVersion(world, DATASET, 'current')),
    async rows() {
      const { segments } = await exchange.manifest();
      const rows = new Map<number, string | null>();
      for (const { digest } of segments.flatMap(({ parts }) => parts)) {
        const bytes = await readWhole(await world.store.read(digest));
        for await (const batch of readBatches(readAtOf(bytes), bytes.byteLength)) {
          for (const row of batch) {
            if (rows.has(Number(row.id))) throw new Error(`key ${row.id} is there twice`);
            rows.set(Number(row.id), row.姓名);
          }
        }
      }
      return rows;
    },
    async define(changes) {
      const [{ definition: now }] = await world.catalog('dataset').select('definition');
      await world.catalog('dataset').update({ definition: { ...now, ...changes } });
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await world.close();
    },
  };
  return exchange;
}

async function answer(world: World, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url!, 'http://exchange');
  const [, , , runId, resource, digest] = url.pathname.split('/') as string[];
  const reply = (body: object) =>
    response.writeHead(201, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  if (resource === 'generations') {
    const opened = await openGeneration(world, { runId: runId!, trusted: false, quarantineKey: keys.publicKey });
    reply({ ...opened, token: 'session' });
    return;
  }
  const open = { runId: runId!, generation: Number(request.headers['x-huitong-generation']) };
  if (request.method === 'POST') {
    const kind = url.searchParams.get('kind') as 'part';
    reply(await stageObject(world, { ...open, kind, bytes: request }));
    return;
  }
  const [first, last] = (request.headers.range ?? '').replace('bytes=', '').split('-').map(Number) as [number, number];
  const range = request.headers.range === undefined ? undefined : { offset: first, length: last - first + 1 };
  response.end(await readWhole(await readStaged(world, { ...open, digest: digest!, range })));
}
