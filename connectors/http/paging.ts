/**
 * A table's pages, one after the other. An API may serve fewer records than were asked for, so a short page ends
 * nothing: the end is an empty page, the announced total, or the API's own word. A page that comes twice is an error.
 */
import { createHash } from 'node:crypto';
import { atPointer, exactJsonText, JsonNumber, type JsonValue } from '../../columnar/exact-json.ts';
import { HuitongError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import { placeOf } from '../web-errors.ts';
import { type HttpApi, type JsonAnswer, numberAt } from './api.ts';
import type { HttpTable } from './config.ts';

export interface Page {
  records: JsonValue[];
  /** As this page announces it. */
  total?: number;
}

/** @param query what bounds the records, besides the table's own */
export async function* pagesOf(
  api: HttpApi,
  table: HttpTable,
  query: Record<string, string> = {},
): AsyncGenerator<Page> {
  const url = api.urlOf(table, query);
  const { paging = { kind: 'none' } } = table;
  if ('size' in paging && paging.size !== undefined)
    url.searchParams.set(paging.sizeParameter ?? '', String(paging.size));
  const seen = new Set<string>();
  let next: URL | undefined = url;
  let read = 0;
  for (let page = 0; next !== undefined; page++) {
    if (page >= limits.webPagesMax) throw endless(next);
    const current: URL = numbered(next, table, page, read);
    const answer = await api.page(table, current);
    const { records, total } = contents(answer, table);
    read += records.length;
    const isEnd = isLast(answer, table, records.length, read, total);
    if (!isEnd) assertNew(seen, answer, current, table);
    yield { records, total };
    next = isEnd ? undefined : nextUrl(answer, table, next);
  }
}

/** Page and offset are counted by us, from the records that were really served. */
function numbered(url: URL, { paging }: HttpTable, page: number, read: number): URL {
  const numberedUrl = new URL(url);
  if (paging?.kind === 'page') numberedUrl.searchParams.set(paging.parameter, String((paging.first ?? 1) + page));
  if (paging?.kind === 'offset') numberedUrl.searchParams.set(paging.parameter, String(read));
  return numberedUrl;
}

function contents({ document, answer }: JsonAnswer, table: HttpTable): Page {
  const records = atPointer(document, table.records);
  if (!Array.isArray(records)) {
    throw new HuitongError('SOURCE_FAILED', `the answer has no array at ${JSON.stringify(table.records)}`, {
      at: placeOf(answer.url),
      hint: 'Compare `records` of the table with what the API answers.',
    });
  }
  return { records, ...(table.total === undefined ? {} : { total: numberAt(document, table.total) }) };
}

function isLast(
  { document }: JsonAnswer,
  { paging }: HttpTable,
  records: number,
  read: number,
  total?: number,
): boolean {
  switch (paging?.kind) {
    case undefined:
    case 'none':
      return true;
    case 'page':
    case 'offset':
      if (paging.more !== undefined) return atPointer(document, paging.more) !== true;
      return records === 0 || (total !== undefined && read >= total);
    // These say themselves whether there is a next page; an empty page may have one.
    case 'cursor':
    case 'link':
    case 'nextUrl':
      return false;
  }
}

function nextUrl({ document, answer }: JsonAnswer, { paging }: HttpTable, url: URL): URL | undefined {
  switch (paging?.kind) {
    case 'cursor': {
      const cursor = atPointer(document, paging.pointer);
      const text = cursor instanceof JsonNumber ? cursor.text : cursor;
      if (typeof text !== 'string' || text === '') return undefined;
      const next = new URL(url);
      next.searchParams.set(paging.parameter, text);
      return next;
    }
    case 'nextUrl': {
      const next = atPointer(document, paging.pointer);
      return typeof next === 'string' && next !== '' ? resolved(next, answer.url) : undefined;
    }
    case 'link': {
      const next = nextLink(String(answer.headers.link ?? ''));
      return next === undefined ? undefined : resolved(next, answer.url);
    }
    default:
      return url;
  }
}

function resolved(text: string, base: URL): URL {
  if (URL.canParse(text, base.href)) return new URL(text, base);
  throw new HuitongError('SOURCE_FAILED', 'the next page is no URL', { at: placeOf(base) });
}

/** RFC 8288: the target of the first link whose relation is `next`. Relations are compared without case (section 2.1.1). */
export function nextLink(header: string): string | undefined {
  for (const [, target, parameters = ''] of header.matchAll(
    /<([^>]*)>((?:\s*;\s*[^\s=;,]+(?:\s*=\s*(?:"[^"]*"|[^\s";,]+))?)*)/g,
  )) {
    const relation = /;\s*rel\s*=\s*(?:"([^"]*)"|([^\s";,]+))/i.exec(parameters);
    const names = (relation?.[1] ?? relation?.[2] ?? '').toLowerCase().split(/\s+/);
    if (names.includes('next')) return target;
  }
  return undefined;
}

/** What the next request depends on must not come again, or reading would never end. */
function assertNew(seen: Set<string>, { document }: JsonAnswer, url: URL, { paging, records }: HttpTable): void {
  const counted = paging?.kind === 'page' || paging?.kind === 'offset';
  const mark = counted ? digestOf(atPointer(document, records) ?? null) : url.href;
  if (seen.has(mark)) throw endless(url);
  // Where pages are counted by us, only a page that equals the one before shows that the parameter is ignored.
  if (counted) seen.clear();
  seen.add(mark);
}

function digestOf(value: JsonValue): string {
  return createHash('sha256').update(exactJsonText(value)).digest('base64');
}

function endless(url: URL): HuitongError {
  return new HuitongError('SOURCE_FAILED', 'the source gives the same page again and again', {
    at: placeOf(url),
    hint: 'Check the paging parameters in the definition against the API’s description.',
  });
}
