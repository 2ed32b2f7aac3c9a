/**
 * What a spreadsheet's cell says, as text. A number is what the sheet shows in full: fifteen digits, all that Excel
 * keeps. An integer of more is refused, since its last digits are already lost. Dates are numbers with a format.
 */
import type { UnrepresentableCode } from '../../columnar/batch.ts';
import type { Mapping } from './types.ts';
import type { Shown } from './xlsx-workbook.ts';

const DIGITS = 15;
const DAY_MS = 86_400_000;
/** 1900-01-01 is day 1. Excel believes in a 29 February 1900, day 60 (ECMA-376, 18.17.4.1). */
const EPOCH_1900 = Date.UTC(1899, 11, 31);
const EPOCH_1904 = Date.UTC(1904, 0, 1);
const LEAP_DAY_THAT_WAS_NOT = 60;
const DAYS_MAX = 2_958_465;

export type CellText = { text: string } | { problem: UnrepresentableCode };

/** @param raw the text of the cell's `v` */
export function numberText(raw: string, shown: Shown, from1904: boolean, codec: Mapping['codec']): CellText {
  const value = Number(raw);
  if (raw.trim() === '' || !Number.isFinite(value)) return { problem: 'NOT_A_NUMBER' };
  if (shown !== 'number') return serialText(value, shown, from1904, codec);
  if (codec === 'float64') return { text: raw };
  if (Number.isInteger(value) && Math.abs(value) >= 10 ** DIGITS) return { problem: 'DIGITS_LOST' };
  return { text: plainText(Number(value.toPrecision(DIGITS))) };
}

/** Without an exponent. */
function plainText(value: number): string {
  const text = String(value);
  if (!text.includes('e')) return text;
  const [mantissa = '', exponent = '0'] = text.split('e');
  const [whole = '', fraction = ''] = mantissa.replace('-', '').split('.');
  const shift = Number(exponent);
  const sign = value < 0 ? '-' : '';
  if (shift < 0) return `${sign}0.${(whole + fraction).padStart(whole.length + fraction.length - shift - 1, '0')}`;
  return `${sign}${(whole + fraction).padEnd(whole.length + shift, '0')}`;
}

/** A day and a time of it, to the millisecond, which is what Excel keeps. */
function serialText(value: number, shown: Shown, from1904: boolean, codec: Mapping['codec']): CellText {
  const total = Math.round(value * DAY_MS);
  if (total < 0 || value > DAYS_MAX) return { problem: 'OUT_OF_RANGE' };
  const ofDay = total % DAY_MS;
  const days = (total - ofDay) / DAY_MS;
  const time = new Date(ofDay).toISOString().slice(11, 23).replace('.000', '');
  if (shown === 'time' && days === 0) return { text: time };
  const epoch = epochOf(days, from1904);
  if (epoch === undefined) return { problem: 'OUT_OF_RANGE' };
  const date = new Date(epoch + days * DAY_MS).toISOString().slice(0, 10);
  return { text: ofDay === 0 && codec !== 'timestamp' ? date : `${date} ${time}` };
}

/** Undefined for days that never were. */
function epochOf(days: number, from1904: boolean): number | undefined {
  if (from1904) return EPOCH_1904;
  if (days < 1 || days === LEAP_DAY_THAT_WAS_NOT) return undefined;
  return days < LEAP_DAY_THAT_WAS_NOT ? EPOCH_1900 : EPOCH_1900 - DAY_MS;
}

/** `AB12` → column 27, row 12; columns are counted from 0, rows from 1. */
export function placeOf(reference: string): { column: number; row: number } | undefined {
  const [, letters = '', digits = ''] = /^([A-Z]{1,3})([0-9]{1,7})$/.exec(reference) ?? [];
  if (letters === '') return undefined;
  let column = 0;
  for (const letter of letters) column = column * 26 + letter.charCodeAt(0) - 64;
  return { column: column - 1, row: Number(digits) };
}
