/** What CSV, JSON lines and XLSX share: rows are scanned into a table of cells, and decoded from there. */
import type { SourceBatch } from '../connector.ts';
import { CellTable } from './cells.ts';
import { BatchDecoder, type ScannedBytes } from './decode.ts';
import { formsOf, type Piece, type ReadJob } from './format.ts';
import { type OpenFile, stopIfCancelled } from './location.ts';

/** Scans one piece: fills `table`, and yields each time there are rows in it. */
export type ScanPiece = (file: OpenFile, piece: Piece, table: CellTable, job: ReadJob) => AsyncIterable<ScannedBytes>;

/** Pieces one behind the other, in batches that do not end with them; each file is proved unchanged behind its rows. */
export async function* readText(job: ReadJob, scan: ScanPiece): AsyncGenerator<SourceBatch> {
  const { columns } = job.request.plan;
  const table = new CellTable(columns.length);
  const decoder = new BatchDecoder(job.schema, columns, job.request, formsOf(job.options));
  for (const piece of job.pieces) {
    const file = await job.location.open(piece.file);
    try {
      for await (const scanned of scan(file, piece, table, job)) {
        stopIfCancelled(job.signal);
        for (let row = 0; row < table.rows; ) {
          row = decoder.take(table, scanned, row, piece.file.path);
          if (!decoder.full) continue;
          yield decoder.batch();
          stopIfCancelled(job.signal);
          decoder.reset();
        }
      }
      await file.assertUnchanged();
    } finally {
      await file.close();
    }
  }
  if (decoder.rows > 0) yield decoder.batch();
}
