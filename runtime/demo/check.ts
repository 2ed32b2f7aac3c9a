/** The demo checks itself: nothing vanished, every planted row was found, and readers get what was published. */
import pg from 'pg';
import type { Api } from './api.ts';
import type { DemoExchange } from './exchange.ts';
import type { DatasetToPublish, Published } from './publish.ts';

/** Expected quarantine: by dataset, rows by error code. */
export type Planted = Map<string, Record<string, number>>;

export interface Checked {
  passed: number;
  /** One line each. */
  failures: string[];
}

/** All checks: accounts, planted rows, reads, and reads that must be refused. */
export async function checkAll(exchange: DemoExchange, published: readonly Published[]): Promise<Checked> {
  const planted = await readPlanted(exchange.databases.map(({ adminUrl }) => adminUrl));
  const checks: [name: string, failures: string[]][] = [
    ['rows read = published + quarantined, and each planted row was found', checkAccounts(published, planted)],
    ['each owner reads as many rows as were published', await checkReads(published, exchange.apiOf)],
    ['who has no grant finds nothing', await checkRefusals(exchange.datasets, exchange.apiOf)],
  ];
  const failures = checks.flatMap(([, lines]) => lines);
  return { passed: checks.filter(([, lines]) => lines.length === 0).length, failures };
}

/** From the ledger that the synthetic databases keep of the bad rows in them. `urls`: of a user who may read it. */
export async function readPlanted(urls: readonly string[]): Promise<Planted> {
  const planted: Planted = new Map();
  for (const url of urls) {
    const client = new pg.Client(url);
    await client.connect();
    try {
      const { rows } = await client.query<{ dataset: string; code: string; rows: number }>(
        'select dataset, code, count(*)::int as rows from planted.rows group by dataset, code',
      );
      for (const { dataset, code, rows: found } of rows) {
        planted.set(dataset, { ...planted.get(dataset), [code]: found });
      }
    } finally {
      await client.end();
    }
  }
  return planted;
}

/** One line a difference; none where all is as it must be. */
export function checkAccounts(published: readonly Published[], planted: Planted): string[] {
  const differences: string[] = [];
  for (const one of published) {
    if (one.state !== 'published' && one.state !== 'unchanged') {
      differences.push(`${one.dataset}: ${one.state}${one.failure === undefined ? '' : `, ${one.failure}`}`);
      continue;
    }
    if (one.rowsRead !== one.rowsPublished + one.rowsQuarantined) {
      differences.push(
        `${one.dataset}: ${one.rowsRead} rows read, but ${one.rowsPublished} published and ${one.rowsQuarantined} in quarantine`,
      );
    }
    const expected = planted.get(one.dataset) ?? {};
    for (const code of new Set([...Object.keys(expected), ...Object.keys(one.quarantinedByCode)])) {
      const [wanted, found] = [expected[code] ?? 0, one.quarantinedByCode[code] ?? 0];
      if (wanted !== found) differences.push(`${one.dataset}: ${wanted} rows planted as ${code}, ${found} found`);
    }
  }
  const known = new Set(published.map((one) => one.dataset));
  for (const dataset of planted.keys()) {
    if (!known.has(dataset)) differences.push(`${dataset}: has planted rows, but no such dataset was published`);
  }
  return differences;
}

/** Reads each dataset as its owner and counts what arrives. */
async function checkReads(published: readonly Published[], apiOf: (department: string) => Api): Promise<string[]> {
  const differences: string[] = [];
  for (const one of published) {
    if (one.version === undefined) continue;
    const path = `/datasets/${one.dataset}/versions/${one.version}/data`;
    const response = await apiOf(one.department).open(path, 'application/x-ndjson');
    const rows = response.ok ? await countLines(response) : `status ${response.status}`;
    if (rows !== one.rowsPublished)
      differences.push(`${one.dataset}: ${one.rowsPublished} rows published, ${rows} read`);
  }
  return differences;
}

/** What is not shared looks to another department as if it did not exist; what is unconditional is there for all. */
async function checkRefusals(
  datasets: readonly DatasetToPublish[],
  apiOf: (department: string) => Api,
): Promise<string[]> {
  const differences: string[] = [];
  for (const { code, department, sharingClass } of datasets) {
    const stranger = datasets.find((other) => other.department !== department)?.department;
    if (stranger === undefined || sharingClass === 'conditional') continue;
    const response = await apiOf(stranger).open(`/datasets/${code}/data`, 'text/csv');
    // To its end: a body that is given up keeps the server waiting for its connection when both stop.
    await response.arrayBuffer();
    const wanted = sharingClass === 'unconditional' ? 200 : 404;
    if (response.status !== wanted) {
      differences.push(`${code} (${sharingClass}): ${stranger} gets status ${response.status}, not ${wanted}`);
    }
  }
  return differences;
}

async function countLines(response: Response): Promise<number> {
  const LINE_FEED = 10;
  let lines = 0;
  for await (const chunk of response.body ?? []) {
    for (let at = chunk.indexOf(LINE_FEED); at >= 0; at = chunk.indexOf(LINE_FEED, at + 1)) lines += 1;
  }
  return lines;
}
