/** `dataset infer`, `dataset preview`: from a department's table to the files of a dataset, and a trial of them. */
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Command } from 'commander';
import { parseStrictJson } from '../../contracts/safety.ts';
import { textTable } from '../../lib/text-table.ts';
import type { DatasetDefinition } from '../../schemas/generated/dataset.ts';
import type { CommandContext } from '../context.ts';
import { CommandError, exitCodes } from '../errors.ts';
import { bytes, number, print } from '../output.ts';

interface Inferred {
  dataset: string;
  files: Record<string, string>;
  key: { columns: string[]; guaranteed: boolean };
  sample: { rows: number; complete: boolean };
  overrides: { column: string; as: string; why: string }[];
  sensitive: { column: string; sensitivity: string; why: string }[];
}

interface Previewed {
  rowsRead: number;
  rowsPublished: number;
  rowsQuarantined: number;
  complete: boolean;
  guarantee: string;
  violations: { code: string; pointer: string; rows: number }[];
  columns: { name: string; arrowType: string; masked: boolean }[];
  rows: { row: string; errors: { code: string; pointer: string }[] }[];
  bytesDecoded: number;
  bytesStored: number;
  elapsedMs: number;
}

interface InferOptions {
  output?: string;
  name?: string;
  key?: string;
  strict?: boolean;
  force?: boolean;
}

export function inferCommands(dataset: Command, context: CommandContext): void {
  dataset
    .command('infer <source> <table>')
    .description('write a definition and a contract from a table: its types, keys, checks, comments and a sample')
    .option('--output <folder>', 'the district’s folder; without it the files are printed')
    .option('--name <name>', 'the second half of the dataset’s code')
    .option('--key <columns>', 'columns that identify a row, separated by commas')
    .option('--strict', 'put what only the sample suggests into force')
    .option('--force', 'replace files that are there')
    .addHelpText(
      'after',
      '\nExample:\n  $ huitong dataset infer health-his public.vaccination --output districts/longhua',
    )
    .action(async (source: string, table: string, options: InferOptions) => {
      const client = await context.client();
      const { name, key, strict } = options;
      const body = { table: tableOf(table), name, key: key?.split(','), strict };
      const inferred = await client.post<Inferred>(`/sources/${encodeURIComponent(source)}/infer`, body);
      if (options.output !== undefined) await writeFiles(options.output, inferred.files, options.force === true);
      context.show(inferred, (value) => showInferred(value, options.output));
    });

  dataset
    .command('preview <dataset>')
    .description('try a dataset, or the file of a definition, on the first rows; nothing is published')
    .option('--rows <n>', 'how many of the first rows to show', Number, 5)
    .addHelpText(
      'after',
      '\nExamples:\n  $ huitong dataset preview health.vaccinations\n  $ huitong dataset preview districts/longhua/datasets/health/vaccinations.yaml',
    )
    .action(async (what: string, options: { rows: number }) => {
      const client = await context.client();
      const [path, body] = /\.ya?ml$/.test(what)
        ? await previewOfFile(what)
        : [`/datasets/${encodeURIComponent(what)}/preview`, {}];
      const report = await client.post<Previewed>(path, body);
      context.show(report, (value) => showPreview(value, options.rows));
    });
}

/** `schema.table`; a dot in a table's own name is written after its schema. */
function tableOf(text: string): { schema?: string; name: string } {
  const dot = text.indexOf('.');
  return dot < 0 ? { name: text } : { schema: text.slice(0, dot), name: text.slice(dot + 1) };
}

async function writeFiles(folder: string, files: Record<string, string>, replace: boolean): Promise<void> {
  const paths = Object.keys(files).map((path) => join(folder, path));
  for (const path of paths) {
    const there = await stat(path).then(
      () => true,
      () => false,
    );
    if (there && !replace)
      throw new CommandError(
        `${path} 已存在；--force 可替换 · ${path} is there already; --force replaces it`,
        exitCodes.failed,
      );
  }
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
}

function showInferred({ dataset, files, key, sample, overrides, sensitive }: Inferred, folder?: string): void {
  for (const [path, text] of Object.entries(files)) {
    if (folder === undefined) print(`# ${path}\n${text}`);
    else print(`wrote ${join(folder, path)}`);
  }
  print(`${dataset}, from ${sample.complete ? 'all' : 'the first'} ${number(sample.rows)} rows`);
  print(`key: ${key.columns.join(', ')} (${key.guaranteed ? 'kept by the source' : 'suggested by the sample'})`);
  for (const { column, as, why } of overrides) print(`read as ${as}: ${column}: ${why}`);
  for (const { column, sensitivity, why } of sensitive) print(`${sensitivity}: ${column}: ${why}`);
  if (folder !== undefined) {
    const [definition] = Object.keys(files).filter((path) => path.endsWith('.yaml'));
    print(`next: look at the files, try them with \`huitong dataset preview ${join(folder, definition ?? '')}\`,`);
    print('and apply the district’s folder with them in it');
  }
}

async function previewOfFile(path: string): Promise<[path: string, body: object]> {
  // No other command needs it.
  const { parse: parseYaml } = await import('yaml');
  const definition = parseYaml(await readFile(path, 'utf8')) as DatasetDefinition;
  const { source, table, columns, overrides, items, contract } = definition;
  if (typeof source !== 'string' || typeof contract !== 'string') {
    throw new CommandError(
      `${path} 未写明来源和数据契约 · ${path} does not name a source and a contract`,
      exitCodes.usage,
    );
  }
  const text = await readFile(join(dirname(path), basename(contract)), 'utf8');
  const body = { table, columns, overrides, items, contract: parseStrictJson(text) };
  return [`/sources/${encodeURIComponent(source)}/preview`, body];
}

function showPreview(report: Previewed, rows: number): void {
  const { rowsRead, rowsPublished, rowsQuarantined, complete, violations, bytesStored, elapsedMs } = report;
  const share = rowsRead === 0 ? 0 : (100 * rowsQuarantined) / rowsRead;
  print(`read ${number(rowsRead)} rows (${complete ? 'all there are' : 'the first ones'}; ${report.guarantee})`);
  print(`would publish ${number(rowsPublished)}, quarantine ${number(rowsQuarantined)} (${share.toFixed(2)} %)`);
  if (rowsRead > 0) {
    const perSecond = Math.round((rowsRead * 1000) / Math.max(1, elapsedMs));
    print(
      `${(bytesStored / rowsRead).toFixed(1)} bytes a row stored (${bytes(bytesStored)}), ${number(perSecond)} rows/s`,
    );
  }
  if (violations.length > 0) {
    print(
      textTable(violations, [
        { title: 'violation', value: (v) => v.code },
        { title: 'item', value: (v) => v.pointer },
        { title: 'rows', value: (v) => number(v.rows), align: 'right' },
      ]),
    );
  }
  for (const { row, errors } of report.rows.slice(0, rows)) {
    print(row);
    for (const { code, pointer } of errors) print(`  ✗ ${code} ${pointer}`);
  }
}
