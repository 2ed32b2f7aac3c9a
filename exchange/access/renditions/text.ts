/** What the text renditions share: lines gathered into chunks, so that neither a row nor a whole batch is one write. */
import type { Data, RecordBatch } from 'apache-arrow';
import type { Rendition } from './rendition.ts';

const CHUNK_CHARACTERS = 64 * 1024;

export interface LineFormat {
  contentType: string;
  /** What comes before the first row. */
  start: string;
  /** One row with its line end. */
  line(columns: readonly Data[], row: number): string;
}

/** @param batches makes them anew for each reader; their schema is the one that `format` was made for */
export function textRendition(format: LineFormat, batches: () => AsyncIterable<RecordBatch>): Rendition {
  return {
    contentType: format.contentType,
    totalBytes: undefined,
    async *bytes(sent) {
      sent.rows = 0;
      let text = format.start;
      for await (const batch of batches()) {
        const columns = batch.data.children;
        for (let row = 0; row < batch.numRows; row++) {
          text += format.line(columns, row);
          sent.rows++;
          if (text.length < CHUNK_CHARACTERS) continue;
          yield Buffer.from(text);
          text = '';
        }
      }
      if (text !== '') yield Buffer.from(text);
    },
  };
}
