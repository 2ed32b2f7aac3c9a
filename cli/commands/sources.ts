/** `source list`, `source check`, `source discover`; uploads are beside. */
import type { Command } from 'commander';
import type { CheckReport, SourceTable } from '../../connectors/connector.ts';
import { textTable } from '../../lib/text-table.ts';
import type { Source } from '../../schemas/generated/api.ts';
import type { CommandContext } from '../context.ts';
import { CommandError, exitCodes } from '../errors.ts';
import { print } from '../output.ts';
import { uploadCommands } from './uploads.ts';

export function sourceCommands(program: Command, context: CommandContext): void {
  const source = program.command('source').description('the databases of departments');

  source
    .command('list')
    .description('all sources')
    .action(async () => {
      const client = await context.client();
      const sources: Source[] = [];
      for await (const item of client.pages<Source>('/sources')) sources.push(item);
      context.show(sources, (list) =>
        print(
          textTable(list, [
            { title: 'source', value: (s) => s.code },
            { title: 'department', value: (s) => s.department },
            { title: 'kind', value: (s) => s.kind },
            { title: 'title', value: (s) => `${s.title.zh} ${s.title.en}` },
          ]),
        ),
      );
    });

  source
    .command('check <source>')
    .description("try the connection step by step, from the department's own worker")
    .action(async (code: string) => {
      const client = await context.client();
      const report = await client.post<CheckReport>(`/sources/${encodeURIComponent(code)}/check`);
      context.show(report, ({ steps, server }) => {
        for (const step of steps)
          print(`${step.ok ? '✓' : '✗'} ${step.name}: ${step.code ? `${step.code} ` : ''}${step.message}`);
        if (server) print(server);
      });
      if (!report.ok)
        throw new CommandError(`数据源 ${code} 未通过检查 · source ${code} does not pass its check`, exitCodes.failed);
    });

  source
    .command('discover <source>')
    .description('tables, columns, keys and comments that this source shows to its user')
    .option('--table <name>', 'the columns of one table')
    .action(async (code: string, options: { table?: string }) => {
      const client = await context.client();
      const { tables } = await client.post<{ tables: SourceTable[] }>(`/sources/${encodeURIComponent(code)}/discover`);
      const chosen = options.table ? tables.filter((t) => t.name === options.table) : tables;
      if (options.table && chosen.length === 0) {
        throw new CommandError(
          `数据源 ${code} 中没有表 ${options.table} · source ${code} shows no table ${options.table}`,
          exitCodes.failed,
        );
      }
      context.show(chosen, (list) => (options.table ? showColumns(list) : showTables(list)));
    });

  uploadCommands(source, context);
}

function showTables(tables: SourceTable[]): void {
  print(
    textTable(tables, [
      { title: 'schema', value: (t) => t.schema },
      { title: 'table', value: (t) => t.name },
      { title: 'kind', value: kindOf },
      { title: 'columns', value: (t) => t.columns.length, align: 'right' },
      { title: 'rows ~', value: (t) => t.rowsEstimate, align: 'right' },
      { title: 'key', value: (t) => t.primaryKey.join(', ') },
      { title: 'comment', value: (t) => t.comment },
    ]),
  );
}

/** With what a person would wonder about: where its rows lie, and whose they are besides. */
function kindOf({ kind, partitions, inheritsFrom }: SourceTable): string {
  if (partitions !== undefined) return `${kind} (${partitions})`;
  return inheritsFrom === undefined ? kind : `${kind} of ${inheritsFrom.join(', ')}`;
}

/** Guarantees as a contract would say them. */
function guaranteesOf({ guarantees = {} }: SourceTable['columns'][number]): string {
  return Object.entries(guarantees)
    .map(([keyword, value]) => `${keyword} ${JSON.stringify(value)}`)
    .join(', ');
}

function showColumns(tables: SourceTable[]): void {
  for (const table of tables) {
    const { schema, name, columns, comment, primaryKey, uniqueKeys } = table;
    print(`${schema === undefined ? '' : `${schema}.`}${name} · ${kindOf(table)}${comment ? ` · ${comment}` : ''}`);
    const keys = uniqueKeys.filter((key) => key.join() !== primaryKey.join()).map((key) => `(${key.join(', ')})`);
    if (primaryKey.length > 0) print(`primary key (${primaryKey.join(', ')})`);
    if (keys.length > 0) print(`unique ${keys.join(', ')}`);
    print(
      textTable(columns, [
        { title: 'column', value: (c) => c.name },
        { title: 'type', value: (c) => c.sourceType },
        { title: 'Arrow', value: (c) => c.arrowType ?? 'no mapping' },
        { title: 'null', value: (c) => (c.nullable ? 'yes' : 'no') },
        { title: 'guaranteed', value: guaranteesOf },
        { title: 'comment', value: (c) => c.comment },
      ]),
    );
  }
}
