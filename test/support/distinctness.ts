import type pg from 'pg';
import type { TableName } from '../../connectors/connector.ts';

/**
 * How many rows there are, and whether the columns that are never null tell them apart, by the server's own text.
 * Arrays are left out: no key of a dataset is a list.
 */
export async function distinctness(
  client: pg.Client,
  { schema, name }: TableName,
): Promise<{ rows: number; apart: boolean }> {
  const { fields, rows } = await client.query<(string | null)[]>({
    text: `select * from ${client.escapeIdentifier(schema ?? 'public')}.${client.escapeIdentifier(name)}`,
    rowMode: 'array',
    types: { getTypeParser: () => (text: string) => text } as never,
  });
  const { rows: arrays } = await client.query<{ oid: number }>(
    `select oid::int from pg_type where typcategory = 'A' and oid = any($1)`,
    [fields.map(({ dataTypeID }) => dataTypeID)],
  );
  const listed = new Set(arrays.map(({ oid }) => oid));
  const whole = fields
    .map(({ dataTypeID }, i) => ({ i, plain: !listed.has(dataTypeID) }))
    .filter(({ i, plain }) => plain && rows.every((row) => row[i] !== null));
  const distinct = new Set(rows.map((row) => JSON.stringify(whole.map(({ i }) => row[i]))));
  return { rows: rows.length, apart: whole.length > 0 && distinct.size === rows.length };
}
