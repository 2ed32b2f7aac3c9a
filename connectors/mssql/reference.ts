/** docs/reference/sql-server-types.md, from the type table. `npx tsx connectors/mssql/reference.ts` writes it. */
import { writeFile } from 'node:fs/promises';
import { argv } from 'node:process';
import { arrowTypeOf, type Mapping, type TypeRow, typeTable } from './types.ts';

export const referencePath = 'docs/reference/sql-server-types.md';

export function typeReference(): string {
  const sections = typeTable.map(({ title, rows }) => [
    `## ${title}`,
    '',
    '| SQL Server | Arrow | how | |',
    '|---|---|---|---|',
    ...rows.map(typeLine),
    '',
  ]);
  return [
    '# SQL Server types',
    '',
    'Made from `connectors/mssql/types.ts` by `npx tsx connectors/mssql/reference.ts`; a test keeps them equal.',
    '',
    '*native*: decoded from the wire. *text*: the server’s own exact text. *refused*: planning fails with TYPE_UNMAPPED, which names every such column; an override `text`, `skip` or, for a wider decimal, `decimal` says what to do. *Unrepresentable*: null in the batch and reported with row, column and reason, for the contract to judge. Alias types are read as what they stand for.',
    '',
    ...sections.flat(),
  ].join('\n');
}

function typeLine({ types, mapping, note }: TypeRow): string {
  const names = types.map((name) => (/^[a-z_0-9]+$/.test(name) ? `\`${name}\`` : name)).join(', ');
  const route = mapping === undefined ? 'refused' : mapping.cast === 'none' ? 'native' : 'text';
  return `| ${names} | ${mapping ? arrowName(mapping) : '–'} | ${route} | ${note} |`;
}

function arrowName(mapping: Mapping): string {
  if (mapping.codec === 'decimal') return 'Decimal128(p, s)';
  if (mapping.codec === 'money' || mapping.codec === 'smallmoney') {
    return `Decimal128(${mapping.precision}, ${mapping.scale})`;
  }
  return String(arrowTypeOf(mapping));
}

if (argv[1]?.endsWith('mssql/reference.ts')) await writeFile(referencePath, typeReference());
