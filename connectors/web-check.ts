/** `check` of kinds that speak HTTP: which step a failure ended, told by its code, since one request does all of them. */
import { type ErrorCode, toHuitongError } from '../lib/errors.ts';
import type { CheckReport, CheckStep } from './connector.ts';

const order = ['resolve', 'connect', 'authenticate', 'read'] as const;
type WebStep = (typeof order)[number];

const stepOf: Partial<Record<ErrorCode, WebStep>> = {
  CONFIG_INVALID: 'resolve',
  SSRF_BLOCKED: 'resolve',
  SOURCE_UNREACHABLE: 'connect',
  SOURCE_TIMEOUT: 'connect',
  SOURCE_TLS: 'connect',
  SOURCE_AUTH: 'authenticate',
};

export interface WebFindings {
  /** What answered. */
  server: string;
  /** What could be read, in words. */
  read: string;
  /** What the source promises of one state, in words. */
  snapshot: string;
}

/**
 * @param place where the source is, without user and query
 * @param tryOut connects, authenticates and reads something small
 */
export async function checkWeb(place: string, tryOut: () => Promise<WebFindings>): Promise<CheckReport> {
  const passed: Record<WebStep, string> = {
    resolve: 'the address may be a source',
    connect: `connected to ${place}`,
    authenticate: 'the credentials are accepted',
    read: '',
  };
  const step = (name: WebStep): CheckStep => ({ name, ok: true, message: passed[name] });
  try {
    const { server, read, snapshot } = await tryOut();
    passed.read = read;
    return { ok: true, steps: [...order.map(step), { name: 'snapshot', ok: true, message: snapshot }], server };
  } catch (cause) {
    const error = toHuitongError(cause);
    const failed = stepOf[error.code] ?? 'read';
    const steps = order.slice(0, order.indexOf(failed)).map(step);
    const message = `${error.message}. ${error.hint}`;
    return { ok: false, steps: [...steps, { name: failed, ok: false, code: error.code, message }] };
  }
}
