/** Between instants and what clocks on the wall show; `Intl` knows the zones. */

import type { CivilDate } from './pure/calendar.ts';

/** `sv` writes dates as ISO 8601 does. */
export function civilDateIn(timeZone: string, moment: Date): CivilDate {
  return new Intl.DateTimeFormat('sv', { timeZone, dateStyle: 'short' }).format(moment);
}

/**
 * When clocks in the zone show `time` (`hh:mm`) on that date. The zone's offset is taken at the moment itself, so that a
 * change of the clock on the day before does no harm; a time that a change of the clock leaves out is one hour later.
 */
export function instantOf(date: CivilDate, time: string, timeZone: string): Date {
  const utc = Date.parse(`${date}T${time}:00Z`);
  const guess = utc - offsetMs(timeZone, utc);
  return new Date(utc - offsetMs(timeZone, guess));
}

function offsetMs(timeZone: string, moment: number): number {
  const format = new Intl.DateTimeFormat('sv', { timeZone, dateStyle: 'short', timeStyle: 'medium' });
  return Date.parse(`${format.format(moment).replace(' ', 'T')}Z`) - Math.floor(moment / 1000) * 1000;
}
