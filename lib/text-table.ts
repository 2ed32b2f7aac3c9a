/** Tables on a terminal that keep Chinese text aligned. */
import stringWidth from 'string-width';

export interface Column<T> {
  title: string;
  value(row: T): string | number | null | undefined;
  align?: 'right';
}

/**
 * Columns are as wide as their widest cell, counted in terminal cells: a Chinese character takes two. What is absent is
 * a dash.
 * @param total a last row below a rule of its own
 */
export function textTable<T>(rows: readonly T[], columns: readonly Column<T>[], total?: T): string {
  const cellsOf = (row: T) => columns.map((column) => oneLine(String(column.value(row) ?? '–')));
  const body = rows.map(cellsOf);
  const last = total === undefined ? undefined : cellsOf(total);
  const all = [columns.map(({ title }) => title), ...body, ...(last ? [last] : [])];
  const widths = columns.map((_, i) => Math.max(...all.map((cells) => stringWidth(cells[i]))));
  const rule = widths.map((width) => '─'.repeat(width)).join('  ');
  const line = (cells: string[]) =>
    cells
      .map((cell, i) => {
        const padding = ' '.repeat(widths[i] - stringWidth(cell));
        return columns[i].align === 'right' ? padding + cell : cell + padding;
      })
      .join('  ')
      .trimEnd();
  const [head, ...others] = all.map(line);
  return [head, rule, ...others.slice(0, body.length), ...(last ? [rule, others[body.length]] : [])].join('\n');
}

/** A cell never breaks its row, and cannot move the cursor: it may hold what a source's comment holds. */
function oneLine(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ');
}
