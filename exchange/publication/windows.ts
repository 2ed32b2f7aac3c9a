/** When a source may be read: its windows, over the wall clocks of their time zones. Pure. */
import { type CivilDate, nextDay } from '../../lib/pure/calendar.ts';
import { civilDateIn, instantOf } from '../../lib/zoned-time.ts';
import type { SourceWindow } from '../../schemas/generated/source.ts';

const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;
const DAY_MS = 24 * 60 * 60 * 1000;
/** A week and the days at both ends that a night or a time zone adds. */
const DAYS = 10;

/** `now` itself within a window, else the moment at which the next one opens. `timeZone`: where a window has none. */
export function nextOpening(windows: readonly SourceWindow[], now: Date, timeZone: string): Date {
  let next = Number.POSITIVE_INFINITY;
  for (const window of windows) {
    for (const { opens, closes } of occurrences(window, now, window.timeZone ?? timeZone)) {
      if (opens <= now && now < closes) return now;
      if (opens > now) next = Math.min(next, opens.getTime());
    }
  }
  return new Date(next);
}

/** From the day before on, whose night may not be over. */
function* occurrences({ days, notBefore, notAfter }: SourceWindow, now: Date, timeZone: string) {
  let date: CivilDate = civilDateIn(timeZone, new Date(now.getTime() - DAY_MS));
  for (let i = 0; i < DAYS; i++, date = nextDay(date)) {
    const weekday = WEEKDAYS[new Date(`${date}T00:00:00Z`).getUTCDay()]!;
    if (days !== undefined && !days.includes(weekday)) continue;
    const lastDay = notAfter <= notBefore ? nextDay(date) : date;
    yield { opens: instantOf(date, notBefore, timeZone), closes: instantOf(lastDay, notAfter, timeZone) };
  }
}
