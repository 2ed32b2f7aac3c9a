/** FAULTS 22: who reads while versions follow each other gets one whole version, and never an older one than before. */
import { tableFromIPC } from 'apache-arrow';
import { expect, test } from 'vitest';
import { type Format, openRead } from '../../../exchange/access/read.ts';
import { DATASET } from '../publication/world.ts';
import { batchOf, bytesOf, openBench, principal } from './support.ts';

/** `HUITONG_PUBLICATIONS=1000 npx vitest run test/exchange/access/readers.test.ts` for the whole of it. */
const PUBLICATIONS = Number(process.env.HUITONG_PUBLICATIONS ?? 25);
const STRIDE = 100n;

/** A version's rows tell which one they are of, and there are as many as its number says. */
const rowsIn = (version: number) => 2 * (1 + (version % 7));
const partOf = (version: number, part: number) =>
  batchOf(
    Array.from({ length: rowsIn(version) / 2 }, (_, i) => [BigInt(version) * STRIDE + BigInt(part * 50 + i), null]),
  );

test(`readers during ${PUBLICATIONS} publications get one whole version each (FAULTS 22)`, async () => {
  // As many rows come and go as please.
  const bench = await openBench({ publishGuard: { lostShareMax: 1 } });
  try {
    const publish = (version: number) => bench.publish([[partOf(version, 0)], [partOf(version, 1)]]);
    await publish(1);
    let published = 1;
    const read = async (format: Format): Promise<number> => {
      const opened = await openRead(bench.access, {
        dataset: DATASET,
        version: 'current',
        principal: principal('police'),
        format,
        columns: ['id'],
      });
      const bytes = await bytesOf(opened.stream);
      await opened.closed;
      const ids =
        format === 'arrow'
          ? Array.from(tableFromIPC(bytes).getChild('id')!, BigInt)
          : bytes.toString().trimEnd().split('\r\n').slice(1).map(BigInt);
      const { number } = opened.version;
      expect(new Set(ids.map((id) => Number(id / STRIDE)))).toEqual(new Set([number]));
      expect(ids).toHaveLength(rowsIn(number));
      return number;
    };
    const reader = async (format: Format): Promise<number> => {
      let reads = 0;
      for (let newest = 0; newest < PUBLICATIONS; reads++) {
        const before = published;
        const number = await read(format);
        expect(number).toBeGreaterThanOrEqual(Math.max(newest, before));
        newest = number;
      }
      return reads;
    };
    const readers = Promise.all([reader('arrow'), reader('csv')]);
    for (let version = 2; version <= PUBLICATIONS; version++) {
      await publish(version);
      published = version;
    }
    const reads = await readers;
    for (const count of reads) expect(count).toBeGreaterThan(1);
  } finally {
    await bench.close();
  }
}, 600_000);
