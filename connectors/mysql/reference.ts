/** docs/reference/mysql-types.md, from the type table. `npx tsx connectors/mysql/reference.ts` writes it. */
import { writeFile } from 'node:fs/promises';
import { argv } from 'node:process';
import { type Mapping, type TypeRow, types, typeTable } from './types.ts';

export const referencePath = 'docs/reference/mysql-types.md';

export function typeReference(): string {
  const sections = typeTable.map(({ title, rows }) => [
    `## ${title}`,
    '',
    '| MySQL, MariaDB | Arrow | how | |',
    '|---|---|---|---|',
    ...rows.map(typeLine),
    '',
  ]);
  return [
    '# MySQL and MariaDB types',
    '',
    'Made from `connectors/mysql/types.ts` by `npx tsx connectors/mysql/reference.ts`; a test keeps them equal. How such a source is set up, and what its versions promise: [the guide](../guides/mysql.md).',
    '',
    '*native*: decoded from the wire. *text*: the server’s own exact text. *refused*: planning fails with TYPE_UNMAPPED, which names every such column; an override `text`, `skip` or, for a wider decimal, `decimal` says what to do. *Unrepresentable*: null in the batch and reported with row, column and reason, for the contract to judge.',
    '',
    ...sections.flat(),
  ].join('\n');
}

function typeLine({ types: names, mapping, note }: TypeRow): string {
  const list = names.map((name) => (/^[a-z_0-9]+$/.test(name) ? `\`${name}\`` : name)).join(', ');
  const route = mapping === undefined ? 'refused' : mapping.cast === 'none' ? 'native' : 'text';
  return `| ${list} | ${mapping ? arrowName(mapping) : '–'} | ${route} | ${note} |`;
}

function arrowName(mapping: Mapping): string {
  return mapping.codec === 'decimal' ? 'Decimal128(p, s)' : String(types.arrowTypeOf(mapping));
}

if (argv[1]?.endsWith('mysql/reference.ts')) await writeFile(referencePath, typeReference());
