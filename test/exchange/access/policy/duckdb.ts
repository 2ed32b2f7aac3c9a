/** DuckDB as the oracle: what SQL says of the same rows. */
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { cellSql, columns, type Row } from './samples.ts';

export async function openOracle(): Promise<DuckDBConnection> {
  return (await DuckDBInstance.create(':memory:')).connect();
}

export async function load(oracle: DuckDBConnection, rows: Row[]): Promise<void> {
  const names = Object.keys(columns);
  const declared = names.map((name) => `"${name}" ${columns[name]!.sql}`).join(', ');
  await oracle.run(`create or replace table t (ordinal integer, ${declared})`);
  if (rows.length === 0) return;
  const tuples = rows.map((row, i) => `(${[i, ...names.map((name) => cellSql(name, row[name] ?? null))].join(', ')})`);
  await oracle.run(`insert into t values ${tuples.join(', ')}`);
}

/** Cells as JavaScript strings (doubles as `String` writes them), null for null; in the order of the rows. */
export async function ask(oracle: DuckDBConnection, select: string[], where: string): Promise<(string | null)[][]> {
  const answer = await oracle.runAndReadAll(`select ${select.join(', ')} from t where ${where} order by ordinal`);
  return answer.getRows().map((row) => row.map((cell) => (cell === null ? null : String(cell))));
}
