/** Which departments a worker serves: those its roles name, or for `source:*` all that have a source. */
import { HuitongError } from '../lib/errors.ts';

const EVERY = 'source:*';
const PREFIX = 'source:';

export interface SourceDepartments {
  named: string[];
  /** Whether the exchange is asked for more of them. */
  every: boolean;
}

/** `['exchange', 'source:health', 'source:*']` → `{ named: ['health'], every: true }` */
export function sourceDepartments(roles: readonly string[]): SourceDepartments {
  const named = roles.filter((role) => role.startsWith(PREFIX) && role !== EVERY);
  return { named: named.map((role) => role.slice(PREFIX.length)), every: roles.includes(EVERY) };
}

/**
 * Departments that have a source now, from `GET /v1/sources`: the worker knows nothing of the catalog.
 * @throws STAGING_UNREACHABLE, UNAUTHENTICATED
 */
export async function departmentsWithSources(exchangeUrl: string, token: string): Promise<string[]> {
  const departments = new Set<string>();
  let cursor: string | null | undefined;
  do {
    const query = cursor ? `?cursor=${encodeURIComponent(cursor)}` : '';
    const page = await getPage(`${exchangeUrl.replace(/\/$/, '')}/v1/sources${query}`, token);
    for (const { department } of page.items) departments.add(department);
    cursor = page.next;
  } while (cursor);
  return [...departments].sort();
}

interface SourcePage {
  items: { department: string }[];
  next?: string | null;
}

async function getPage(url: string, token: string): Promise<SourcePage> {
  const headers = { authorization: `Bearer ${token}`, accept: 'application/json' };
  const response = await fetch(url, { headers }).catch((cause: unknown) => {
    throw new HuitongError('STAGING_UNREACHABLE', 'the exchange cannot be reached', { at: url, cause });
  });
  if (response.ok) return (await response.json()) as SourcePage;
  const code = response.status === 401 ? 'UNAUTHENTICATED' : 'STAGING_UNREACHABLE';
  throw new HuitongError(code, `the exchange answered ${response.status}`, { at: url });
}
