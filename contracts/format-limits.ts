/** `formatMinimum` and the like: dates and times in order, by value and not by their letters. */
import { daysFromCivil } from './civil.ts';

const shape = /^([+-]\d{6,}|\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d):(\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)?)?$/;
/** Ticks are attoseconds: finer than any source's fraction. */
const fractionDigits = 18;
export const ticksPerSecond = 10n ** BigInt(fractionDigits);

/**
 * Ticks since 1970-01-01T00:00:00 (of UTC, where the text has an offset); null of text that is no date or date-time.
 * Years of more than four digits have no RFC 3339 text, but they have an order. Fraction digits beyond the eighteenth
 * are cut.
 */
export function ticksOf(text: string): bigint | null {
  const parts = shape.exec(text);
  if (parts === null) {
    return null;
  }
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '', offset = 'Z'] = parts;
  const days = daysFromCivil(Number(year), Number(month), Number(day));
  const clock = (Number(hour) * 60 + Number(minute)) * 60 + Number(second);
  const seconds = days * 86_400 + clock - offsetSeconds(offset);
  return BigInt(seconds) * ticksPerSecond + BigInt(fraction.slice(0, fractionDigits).padEnd(fractionDigits, '0'));
}

function offsetSeconds(offset: string): number {
  if (offset === 'Z') {
    return 0;
  }
  const size = Number(offset.slice(1, 3)) * 3600 + Number(offset.slice(4, 6)) * 60;
  return offset.startsWith('-') ? -size : size;
}

/** Whether `difference` (value minus limit, any sign) is allowed by the keyword. */
function withinLimit(keyword: string, difference: bigint): boolean {
  switch (keyword) {
    case 'formatMinimum':
      return difference >= 0n;
    case 'formatExclusiveMinimum':
      return difference > 0n;
    case 'formatMaximum':
      return difference <= 0n;
    default:
      return difference < 0n;
  }
}

/** A test of text; text that is no date is for `format` to refuse, not for its limits. */
export function formatLimitTest(keyword: string, limit: string): (text: string) => boolean {
  const limitTicks = ticksOf(limit);
  return (text) => {
    const ticks = ticksOf(text);
    return ticks === null || limitTicks === null || withinLimit(keyword, ticks - limitTicks);
  };
}
