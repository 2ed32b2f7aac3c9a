/**
 * Working days of mainland China: weekends, public holidays, and the weekends that are worked in exchange (调休), as the
 * State Council announces them each autumn for the year to come. Pure, and safe inside workflows; a released version of
 * `chinese-days` is the calendar, so a new announcement arrives with a new version of it.
 */
import chineseDays from 'chinese-days';

/** A day without a time, `YYYY-MM-DD`. */
export type CivilDate = string;

export interface WorkingDayCount {
  date: CivilDate;
  /** Some day that was counted lies in a year whose holidays are not announced yet: count again when they are. */
  provisional: boolean;
}

const DAY_MS = 86_400_000;

/**
 * The day on which `days` working days are over; the day it starts on does not count. Ten working days after 2026-02-12
 * end on 2026-03-04, because the Spring Festival lies between.
 * @param days 1 or more
 */
export function addWorkingDays(from: CivilDate, days: number): WorkingDayCount {
  let date = from;
  let provisional = false;
  for (let left = days; left > 0; ) {
    date = nextDay(date);
    provisional ||= !isYearAnnounced(date);
    if (isWorkingDay(date)) left--;
  }
  return { date, provisional };
}

export function isWorkingDay(date: CivilDate): boolean {
  return chineseDays.isWorkday(date);
}

/** Every announced year has its National Day; in a year that is not announced the calendar knows weekends only. */
function isYearAnnounced(date: CivilDate): boolean {
  return chineseDays.getDayDetail(`${date.slice(0, 4)}-10-01`).name.includes('国庆节');
}

export function nextDay(date: CivilDate): CivilDate {
  return new Date(Date.parse(`${date}T00:00:00Z`) + DAY_MS).toISOString().slice(0, 10);
}
