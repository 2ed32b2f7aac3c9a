/** JSON lines: one object a row, with every digit (docs/reference/json-image.md). */
import type { Schema } from 'apache-arrow';
import { rowTexter } from '../../../contracts/image.ts';
import type { LineFormat } from './text.ts';

/** @throws TYPE_UNMAPPED for a column that has no text */
export function jsonLinesFormat(schema: Schema): LineFormat {
  const text = rowTexter(schema);
  return { contentType: 'application/jsonl', start: '', line: (columns, row) => `${text(columns, row)}\n` };
}
