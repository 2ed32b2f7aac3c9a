/** COPY drained over the connector's own socket code, in a process of its own: `drain-process URL SQL`. */
import { openConnection } from '../connectors/postgres/connection.ts';
import { COPY_DATA, HEADER_BYTES } from '../connectors/postgres/wire.ts';

async function main(url: string, sql: string): Promise<void> {
  const startedAt = performance.now();
  const connection = await openConnection({ url }, { signal: new AbortController().signal, label: 'huitong/bench' });
  const consumer = {
    full: false,
    take({ bytes, view }: { bytes: Uint8Array; view: DataView }, start: number, end: number): number {
      let at = start;
      while (end - at >= HEADER_BYTES && bytes[at] === COPY_DATA) {
        const next = at + 1 + view.getInt32(at + 1);
        if (next > end) break;
        at = next;
      }
      return at;
    },
    inspect() {},
  };
  for await (const _ of connection.copyOut(sql, consumer, 'bench')) throw new Error('a drain is never full');
  await connection.close();
  const seconds = (performance.now() - startedAt) / 1_000;
  console.log(JSON.stringify({ seconds, peakMb: process.resourceUsage().maxRSS / 1_024 }));
}

const [url, sql] = process.argv.slice(2);
void main(url!, sql!);
