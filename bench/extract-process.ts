/**
 * One extract in a process of its own, so that its peak memory is its own; run from a bundle, so that no loader of
 * TypeScript is counted: `extract-process STAGING-URL THREADS THREAD-BUNDLE`. Prints one line of JSON.
 */
import { connectorOf } from '../connectors/registry.ts';
import { extract } from '../pipeline/extract.ts';
import { httpStagingClient } from '../pipeline/http-staging.ts';

async function main(stagingUrl: string, threads: number, threadBundle: string): Promise<void> {
  const session = await httpStagingClient({ url: stagingUrl, token: 'bench' }).openGeneration('bench');
  const { kind, connection } = session.assignment.source;
  const startedAt = performance.now();
  const { report } = await extract({
    session,
    connector: connectorOf(kind),
    config: connection,
    signal: new AbortController().signal,
    threads,
    threadEntry: new URL(threadBundle),
  });
  const seconds = (performance.now() - startedAt) / 1_000;
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
  const storedMb = report.parts.reduce((sum, part) => sum + part.sizeBytes, 0) / 2 ** 20;
  const cpuSeconds = (userCPUTime + systemCPUTime) / 1e6;
  console.log(JSON.stringify({ seconds, peakMb: maxRSS / 1_024, cpuSeconds, storedMb, rows: report.rowsPublished }));
}

const [stagingUrl, threads, threadBundle] = process.argv.slice(2);
void main(stagingUrl!, Number(threads), threadBundle!);
