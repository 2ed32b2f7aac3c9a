/** docs/reference/postgresql-types.md, from the type table. `npx tsx connectors/postgres/reference.ts` writes it. */
import { writeFile } from 'node:fs/promises';
import { argv } from 'node:process';
import { arrowTypeOf, type Mapping, type TypeRow, typeTable } from './types.ts';

export const referencePath = 'docs/reference/postgresql-types.md';

export function typeReference(): string {
  const sections = typeTable.map(({ title, rows }) => [
    `## ${title}`,
    '',
    '| PostgreSQL | Arrow | how | |',
    '|---|---|---|---|',
    ...rows.map(typeLine),
    '',
  ]);
  return [
    '# PostgreSQL types',
    '',
    'Made from `connectors/postgres/types.ts` by `npx tsx connectors/postgres/reference.ts`; a test keeps them equal.',
    '',
    '*native*: decoded from the binary form. *text*: the source’s own exact text (`DateStyle` ISO, `IntervalStyle` postgres, `TimeZone` UTC). *refused*: planning fails with TYPE_UNMAPPED, which names every such column; an override `text`, `skip` or, for a numeric, `decimal` says what to do. *Unrepresentable*: null in the batch and reported with row, column and reason, for the contract to judge.',
    '',
    ...sections.flat(),
  ].join('\n');
}

function typeLine(row: TypeRow): string {
  const { types, mapping, note } = row;
  const names = types.map((name) => (/^[a-z_0-9]+$/.test(name) ? `\`${name}\`` : name)).join(', ');
  if (row.follows !== undefined) return `| ${names} | ${row.follows} | | ${note} |`;
  return `| ${names} | ${mapping ? arrowName(mapping) : '–'} | ${mapping ? route(mapping) : 'refused'} | ${note} |`;
}

function route(mapping: Mapping): string {
  return mapping.cast === 'none' ? 'native' : 'text';
}

function arrowName(mapping: Mapping): string {
  if (mapping.codec === 'numeric') return 'Decimal128(p, s)';
  if (mapping.codec === 'money') return 'Decimal128(19, s)';
  if (mapping.codec === 'list') return 'List';
  return String(arrowTypeOf(mapping));
}

if (argv[1]?.endsWith('postgres/reference.ts')) await writeFile(referencePath, typeReference());
