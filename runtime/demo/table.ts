/** The table that the demo prints: one line a dataset, and their sum. */
import { textTable } from '../../lib/text-table.ts';
import { count } from './count.ts';
import type { DepartmentDatabase } from './databases.ts';
import type { Published } from './publish.ts';

const titles = ['department', 'source', 'dataset', 'version', 'rows read', 'published', 'quarantined', 'MB', 'rows/s'];
const textColumns = 3;

export function publishedTable(
  published: readonly Published[],
  databases: readonly Pick<DepartmentDatabase, 'department' | 'kind'>[],
): string {
  const kinds = new Map(databases.map(({ department, kind }) => [department, kind]));
  const rows = published.map((one) => [
    one.department,
    kinds.get(one.department) ?? '',
    one.dataset,
    one.version === undefined ? one.state : `${one.version}${one.state === 'unchanged' ? ' (unchanged)' : ''}`,
    ...figures(one.rowsRead, one.rowsPublished, one.rowsQuarantined, one.bytes, one.seconds),
  ]);
  const sum = (of: (one: Published) => number) => published.reduce((total, one) => total + of(one), 0);
  const total = [
    '',
    '',
    `${published.length} datasets`,
    '',
    ...figures(
      sum((one) => one.rowsRead),
      sum((one) => one.rowsPublished),
      sum((one) => one.rowsQuarantined),
      sum((one) => one.bytes),
      sum((one) => one.seconds),
    ),
  ];
  const columns = titles.map((title, i) => ({
    title,
    value: (cells: string[]) => cells[i],
    ...(i < textColumns ? {} : { align: 'right' as const }),
  }));
  return textTable(rows, columns, total);
}

function figures(read: number, published: number, quarantined: number, bytes: number, seconds: number): string[] {
  const rate = seconds > 0 ? Math.round(read / seconds) : 0;
  return [count(read), count(published), count(quarantined), (bytes / 1e6).toFixed(2), count(rate)];
}
