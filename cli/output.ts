/** What commands print: tables that keep Chinese text aligned, or JSON for programs (`--json`). */
import stringWidth from 'string-width';

export interface Column<T> {
  title: string;
  value(row: T): string | number | null | undefined;
  align?: 'right';
}

/** Columns are as wide as their widest cell, counted in terminal cells (a Chinese character takes two). */
export function table<T>(rows: readonly T[], columns: Column<T>[]): string {
  const cells = rows.map((row) => columns.map((column) => String(column.value(row) ?? '–')));
  const widths = columns.map((column, i) =>
    Math.max(stringWidth(column.title), ...cells.map((row) => stringWidth(row[i]))),
  );
  const line = (texts: string[]) =>
    texts
      .map((text, i) => {
        const padding = ' '.repeat(widths[i] - stringWidth(text));
        return columns[i].align === 'right' ? padding + text : text + padding;
      })
      .join('  ')
      .trimEnd();
  const rule = widths.map((width) => '─'.repeat(width)).join('  ');
  return [line(columns.map((column) => column.title)), rule, ...cells.map(line)].join('\n');
}

export function number(value: number): string {
  return value.toLocaleString('en-US');
}

export function bytes(value: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let unit = 0;
  let amount = value;
  while (amount >= 1000 && unit < units.length - 1) {
    amount /= 1000;
    unit++;
  }
  return `${unit === 0 ? amount : amount.toFixed(1)} ${units[unit]}`;
}

export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

export function printJson(value: unknown): void {
  print(JSON.stringify(value, null, 2));
}

/** A line on the terminal that is rewritten while work goes on; silent where standard error is not a terminal. */
export class ProgressLine {
  readonly #terminal = process.stderr.isTTY === true;

  update(text: string): void {
    if (this.#terminal) process.stderr.write(`\r\u001b[2K${text}`);
  }

  end(): void {
    if (this.#terminal) process.stderr.write('\r\u001b[2K');
  }
}
