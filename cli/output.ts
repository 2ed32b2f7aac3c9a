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

/**
 * For people: a moment (RFC 3339) on the clock of this machine, with its distance from UTC; `--json` has it as it came.
 * What is no moment is left as it is, and what is absent stays absent.
 */
export function localTime(moment: string): string;
export function localTime(moment: string | null | undefined): string | undefined;
export function localTime(moment: string | null | undefined): string | undefined {
  const time = new Date(moment ?? '');
  if (Number.isNaN(time.getTime())) return moment ?? undefined;
  const minutes = -time.getTimezoneOffset();
  const local = new Date(time.getTime() + minutes * 60_000).toISOString().slice(0, 19).replace('T', ' ');
  const two = (n: number) => String(Math.trunc(n)).padStart(2, '0');
  return `${local} ${minutes < 0 ? '-' : '+'}${two(Math.abs(minutes) / 60)}:${two(Math.abs(minutes) % 60)}`;
}

/** `1 part`, `2 parts`. */
export function counted(count: number, one: string): string {
  return `${number(count)} ${one}${count === 1 ? '' : 's'}`;
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
