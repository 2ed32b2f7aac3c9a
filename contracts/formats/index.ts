/** Every format a contract may name. An unknown format is an error when a contract is compiled, never a silent pass. */
import { fullFormats } from 'ajv-formats/dist/formats.js';
import { isDate, isDateTime, isLocalDateTime, isLocalTime, isTime } from './date-time.ts';
import { isDivisionCode } from './division-code.ts';
import { isMobileNumber } from './mobile-number.ts';
import { isResidentId } from './resident-id.ts';
import { isSocialCreditCode } from './social-credit-code.ts';
import { type ByteFormat, stringFormat } from './text.ts';
import { isUuid } from './uuid.ts';

export interface TextFormat {
  /** Over UTF-8 bytes, where we have it. */
  bytes?: ByteFormat;
  text(value: string): boolean;
}

const ours: Record<string, ByteFormat> = {
  date: isDate,
  'date-time': isDateTime,
  'division-code': isDivisionCode,
  'local-date-time': isLocalDateTime,
  'local-time': isLocalTime,
  'mobile-number': isMobileNumber,
  'resident-id': isResidentId,
  'social-credit-code': isSocialCreditCode,
  time: isTime,
  uuid: isUuid,
};

/**
 * Taken from ajv-formats: tested on the decoded text. Their expressions are quadratic at worst, so longer texts than
 * any real address are refused unseen.
 */
const borrowedCharactersMax = 2048;
const borrowed = ['email', 'hostname', 'ipv4', 'ipv6', 'uri'] as const;

function borrow(name: (typeof borrowed)[number]): TextFormat {
  const format = fullFormats[name];
  if (format instanceof RegExp) {
    return { text: (value) => value.length <= borrowedCharactersMax && format.test(value) };
  }
  if (typeof format === 'function') {
    return { text: (value) => value.length <= borrowedCharactersMax && format(value) === true };
  }
  throw new TypeError(`ajv-formats changed the shape of "${name}"`);
}

export const formats: ReadonlyMap<string, TextFormat> = new Map<string, TextFormat>([
  ...Object.entries(ours).map(([name, bytes]) => [name, { bytes, text: stringFormat(bytes) }] as const),
  ...borrowed.map((name) => [name, borrow(name)] as const),
]);
