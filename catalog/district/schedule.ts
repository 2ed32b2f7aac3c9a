/** Whether a schedule can be kept: five cron fields in their ranges, and a time zone that exists. */

/** minute, hour, day of month, month, day of week (0 and 7 are Sunday). */
const ranges: [number, number][] = [
  [0, 59],
  [0, 23],
  [1, 31],
  [1, 12],
  [0, 7],
];
const names = [
  [],
  [],
  [],
  ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'],
  ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'],
];

export function isCron(text: string): boolean {
  const fields = text.split(' ');
  return (
    fields.length === ranges.length && fields.every((field, i) => field.split(',').every((part) => isPart(part, i)))
  );
}

/** `*`, `5`, `1-5`, `mon-fri`, each with `/step`. */
function isPart(part: string, field: number): boolean {
  const found = /^(\*|([0-9a-z]+)(?:-([0-9a-z]+))?)(?:\/([0-9]{1,2}))?$/i.exec(part);
  if (found === null) return false;
  const [, whole, from, to = from, step = '1'] = found;
  if (Number(step) < 1) return false;
  if (whole === '*') return true;
  const [low, high] = [fieldValue(from!, field), fieldValue(to!, field)];
  const [min, max] = ranges[field]!;
  return low >= min && low <= high && high <= max;
}

function fieldValue(text: string, field: number): number {
  const first = field === 3 ? 1 : 0;
  const position = names[field]!.indexOf(text.toLowerCase());
  return position < 0 ? Number(text) : position + first;
}

export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
