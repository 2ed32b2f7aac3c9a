/** Cells as PostgreSQL prints them and as they were published, brought into one form: nothing but spelling may differ. */
import pg from 'pg';

/** What psql would print: the server's own text of every cell. */
export async function printedRows(client: pg.Client, { schema, name }: { schema?: string; name: string }) {
  const quote = (text: string) => `"${text.replaceAll('"', '""')}"`;
  const result = await client.query<(string | null)[]>({
    text: `select * from ${schema === undefined ? '' : `${quote(schema)}.`}${quote(name)}`,
    rowMode: 'array',
    types: { getTypeParser: () => (text: string) => text } as never,
  });
  const { rows: types } = await client.query<{ oid: number; base: string; element: string | null }>(
    `with recursive chain as (
       select oid, oid as at, typbasetype, typtype from pg_type where oid = any($1)
       union all select c.oid, t.oid, t.typbasetype, t.typtype from chain c join pg_type t on t.oid = c.typbasetype where c.typtype = 'd')
     select c.oid::int, t.typname as base, (select e.typname from pg_type e where e.typarray = t.oid) as element
       from chain c join pg_type t on t.oid = c.at where c.typtype <> 'd'`,
    [result.fields.map(({ dataTypeID }) => dataTypeID)],
  );
  const byOid = new Map(types.map((type) => [type.oid, type]));
  const fields = result.fields.map((field) => ({ name: field.name, type: byOid.get(field.dataTypeID)! }));
  return { fields, rows: result.rows };
}

/** The oid of `text[]`. */
const TEXT_ARRAY: number = 1009;
/** The elements of an array's text, each as its own text. */
const textArray: (text: string) => (string | null)[] = pg.types.getTypeParser(TEXT_ARRAY);

export type PgType = { base: string; element: string | null };

/** The server's text of a cell, in the form that both are brought into. */
export function normalText(text: string | null, { base, element }: PgType): unknown {
  if (text === null) return null;
  if (element !== null && text.startsWith('{') && !text.startsWith('{{')) {
    return textArray(text).map((item) => normalText(item, { base: element, element: null }));
  }
  switch (base) {
    case 'bool':
      return text === 't';
    case 'float4':
      return Math.fround(Number(text)) || text.replace(/^0$/, '0');
    case 'float8':
      return Number(text) || text;
    case 'bytea':
      return Buffer.from(text.slice(2), 'hex').toString('base64');
    case 'money':
      return text.replace(/[$,]/g, '');
    default:
      return text;
  }
}

/** A published cell in the same form. */
export function normalImage(value: unknown, type: PgType): unknown {
  if (Array.isArray(value)) {
    return value.map((item) => normalImage(item, { base: type.element ?? type.base, element: null }));
  }
  if (typeof value !== 'string') return value;
  const text = value.replace(/^#/, '');
  switch (type.base) {
    case 'float4':
    case 'float8':
      return Number(text) || text;
    case 'timestamp':
    case 'timestamptz':
      return text
        .replace(/^(\d{4}-\d\d-\d\d)T/, '$1 ')
        .replace(/(\.\d*?)0+(Z?)$/, '$1$2')
        .replace(/\.(Z?)$/, '$1')
        .replace(/Z$/, '+00');
    case 'time':
      return text.replace(/(\.\d*?)0+$/, '$1').replace(/\.$/, '');
    default:
      return text;
  }
}

export function sorted(rows: unknown[][]): unknown[][] {
  return rows
    .map((row) => ({ row, key: JSON.stringify(row) }))
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ row }) => row);
}
