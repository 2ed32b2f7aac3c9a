import type pg from 'pg';
import type { TableName } from '../../connectors/connector.ts';

/** How many rows there are, and whether the columns that are never null tell them apart, by the server's own text. */
export async function distinctness(
  client: pg.Client,
  { schema, name }: TableName,
): Promise<{ rows: number; apart: boolean }> {
  const { fields, rows } = await client.query<(string | null)[]>({
    text: `select * from ${client.escapeIdentifier(schema ?? 'public')}.${client.escapeIdentifier(name)}`,
    rowMode: 'array',
    types: { getTypeParser: () => (text: string) => text } as never,
  });
  const whole = fields.map((_, i) => i).filter((i) => rows.every((row) => row[i] !== null));
  const distinct = new Set(rows.map((row) => JSON.stringify(whole.map((i) => row[i]))));
  return { rows: rows.length, apart: distinct.size === rows.length };
}
