/** Publishes datasets through the API, a few at a time, and follows their runs. */
import type { Api } from './api.ts';
import { count } from './count.ts';
import type { Progress } from './progress.ts';

const AT_ONCE = 2;
const POLL_MS = 250;

/** Of `GET /v1/runs/{id}`, what the demo shows and checks. */
interface Run {
  id: string;
  state: 'running' | 'published' | 'unchanged' | 'rejected' | 'failed' | 'cancelled';
  version: number | null;
  failure: { code: string; message: string } | null;
  account: { rowsRead: number; rowsPublished: number; rowsQuarantined: number } | null;
  quarantinedByCode: Record<string, number> | null;
  startedAt: string;
  endedAt: string | null;
  progress?: { rows?: number };
}

/** Of `GET /v1/datasets`. */
export interface DatasetToPublish {
  code: string;
  department: string;
  sharingClass: 'unconditional' | 'conditional' | 'not-shared';
}

/** What came of one dataset. */
export interface Published {
  dataset: string;
  department: string;
  run: string;
  state: Run['state'];
  /** Absent where nothing is published. */
  version?: number;
  failure?: string;
  rowsRead: number;
  rowsPublished: number;
  rowsQuarantined: number;
  quarantinedByCode: Record<string, number>;
  bytes: number;
  seconds: number;
}

/**
 * Starts a run for each dataset and follows it to its end; results in the order of `datasets`. A run that fails is a
 * result like others, so that one department's trouble does not hide the rest.
 */
export async function publishAll(
  datasets: readonly DatasetToPublish[],
  apiOf: (department: string) => Api,
  progress: Progress,
): Promise<Published[]> {
  const results: Published[] = [];
  const rowsNow = new Map<string, number>();
  const waiting = datasets.map((dataset, i) => ({ dataset, i }));
  let done = 0;
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const { dataset, i } = next;
      const onRows = (rows: number) => {
        rowsNow.set(dataset.code, rows);
        const all = [...rowsNow.values()].reduce((sum, n) => sum + n, 0);
        progress.live(`publishing ${done}/${datasets.length} · ${count(all)} rows read · ${dataset.code}`);
      };
      const result = await publishOne(dataset, apiOf(dataset.department), onRows);
      results[i] = result;
      done += 1;
      onRows(result.rowsRead);
      progress.step(`${done}/${datasets.length}  ${summary(result)}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  progress.clear();
  return results;
}

async function publishOne(dataset: DatasetToPublish, api: Api, onRows: (rows: number) => void): Promise<Published> {
  let run = await api.post<Run>(`/datasets/${dataset.code}/runs`);
  while (run.state === 'running') {
    onRows(run.progress?.rows ?? 0);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    run = await api.get<Run>(`/runs/${run.id}`);
  }
  const version =
    run.version === null
      ? undefined
      : await api.get<{ bytes: number }>(`/datasets/${dataset.code}/versions/${run.version}`);
  return {
    dataset: dataset.code,
    department: dataset.department,
    run: run.id,
    state: run.state,
    ...(run.version === null ? {} : { version: run.version }),
    ...(run.failure === null ? {} : { failure: `${run.failure.code}: ${run.failure.message}` }),
    rowsRead: run.account?.rowsRead ?? 0,
    rowsPublished: run.account?.rowsPublished ?? 0,
    rowsQuarantined: run.account?.rowsQuarantined ?? 0,
    quarantinedByCode: run.quarantinedByCode ?? {},
    bytes: version?.bytes ?? 0,
    seconds: run.endedAt === null ? 0 : (Date.parse(run.endedAt) - Date.parse(run.startedAt)) / 1000,
  };
}

function summary(result: Published): string {
  if (result.failure !== undefined) return `${result.dataset} ${result.state}: ${result.failure}`;
  const quarantined = result.rowsQuarantined === 0 ? '' : `, ${count(result.rowsQuarantined)} in quarantine`;
  return `${result.dataset} version ${result.version} ${result.state}, ${count(result.rowsPublished)} rows${quarantined}`;
}
