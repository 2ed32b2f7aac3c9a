/** One extract in a process of its own, so that its peak memory is its own. Prints one line of JSON. */
import { connectorOf } from '../connectors/registry.ts';
import { extract } from '../pipeline/extract.ts';
import { httpStagingClient } from '../pipeline/http-staging.ts';

const [stagingUrl, threads] = process.argv.slice(2);
const session = await httpStagingClient({ url: stagingUrl!, token: 'bench' }).openGeneration('bench');
const { kind, connection } = session.assignment.source;
const startedAt = performance.now();
const { report } = await extract({
  session,
  connector: connectorOf(kind),
  config: connection,
  signal: new AbortController().signal,
  threads: Number(threads),
});
const seconds = (performance.now() - startedAt) / 1_000;
const peakMb = process.resourceUsage().maxRSS / 1_024;
const storedMb = report.parts.reduce((sum, part) => sum + part.sizeBytes, 0) / 2 ** 20;
process.stdout.write(`${JSON.stringify({ seconds, peakMb, storedMb, rows: report.rowsPublished })}\n`);
