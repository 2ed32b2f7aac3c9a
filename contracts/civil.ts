/** Days and times as text, in the proleptic Gregorian calendar (ISO 8601), without `Date`. */

/** A date's parts from days since 1970-01-01 (H. Hinnant, "chrono-Compatible Low-Level Date Algorithms"). */
export function civilFromDays(days: number): { year: number; month: number; day: number } {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1;
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day };
}

/** Days since 1970-01-01; the inverse of `civilFromDays`. */
export function daysFromCivil(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

export function daysInMonth(year: number, month: number): number {
  if (month === 2) {
    return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  }
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

const two = (n: number): string => (n < 10 ? `0${n}` : String(n));

/** `YYYY-MM-DD`; years outside 0000…9999 as ISO 8601 expanded years, sign and six digits. */
export function dateText(days: number): string {
  const { year, month, day } = civilFromDays(days);
  const yearText =
    year >= 0 && year <= 9999
      ? String(year).padStart(4, '0')
      : (year < 0 ? '-' : '+') + String(Math.abs(year)).padStart(6, '0');
  return `${yearText}-${two(month)}-${two(day)}`;
}

/** `HH:MM:SS`, and all of the unit's fraction digits where the fraction is not zero. */
export function timeText(secondOfDay: number, fraction: number, fractionDigits: number): string {
  const clock = `${two(Math.floor(secondOfDay / 3600))}:${two(Math.floor(secondOfDay / 60) % 60)}:${two(secondOfDay % 60)}`;
  return fraction === 0 ? clock : `${clock}.${String(fraction).padStart(fractionDigits, '0')}`;
}

/** `<date>T<time>` of an instant counted in units of 10^-fractionDigits seconds since 1970-01-01T00:00:00. */
export function timestampText(ticks: bigint, fractionDigits: number): string {
  const perDay = 86_400n * 10n ** BigInt(fractionDigits);
  let tickOfDay = ticks % perDay;
  let days = ticks / perDay;
  if (tickOfDay < 0n) {
    tickOfDay += perDay;
    days -= 1n;
  }
  const perSecond = 10 ** fractionDigits;
  const tick = Number(tickOfDay);
  return `${dateText(Number(days))}T${timeText(Math.floor(tick / perSecond), tick % perSecond, fractionDigits)}`;
}
