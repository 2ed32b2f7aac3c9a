/** Every format, by its name. Code that only some formats need is loaded where a file of theirs is read. */
import { HuitongError } from '../../lib/errors.ts';
import { type Format, formatOf, type TableOptions } from './config.ts';
import { csv } from './csv-format.ts';
import type { FileFormat } from './format.ts';

const formats: Record<Format, () => Promise<FileFormat>> = {
  csv: async () => csv,
  'json-lines': async () => (await import('./json-format.ts')).jsonLines,
  xlsx: async () => (await import('./xlsx-format.ts')).xlsx,
  arrow: async () => (await import('./arrow-format.ts')).arrow,
  parquet: async () => (await import('./parquet-format.ts')).parquet,
};

/** Throws CONFIG_INVALID where neither the ending nor the definition tells the format. */
export function formatFor(path: string, options: TableOptions): Promise<FileFormat> {
  const format = formatOf(path, options);
  if (format !== undefined) return formats[format]();
  throw new HuitongError('CONFIG_INVALID', 'the file’s ending tells no format', {
    at: path,
    hint: `Set \`format\` of the table: ${Object.keys(formats).join(', ')}.`,
  });
}
