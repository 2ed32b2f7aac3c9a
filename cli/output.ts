/** What commands print: tables that keep Chinese text aligned, or JSON for programs (`--json`). */
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
