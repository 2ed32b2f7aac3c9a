/** What every process of ours does the same: log, say that it is ready, stop in order, and end with a telling code. */
import { type Logger, pino, stdTimeFunctions } from 'pino';
import { type ErrorCode, toHuitongError } from '../lib/errors.ts';
import { sweepScratch } from '../lib/scratch.ts';
import { type Configuration, loadConfiguration } from './configuration.ts';

/** After sysexits.h: 78 is EX_CONFIG, starting again cannot help. */
export const exitCodes = { ok: 0, failed: 1, configuration: 78 } as const;

/** What a process tells its supervisor. */
export type ProcessMessage =
  | { type: 'ready'; details: Record<string, string> }
  | { type: 'failed'; code: ErrorCode; message: string; hint: string; at?: string };

export interface StartedProcess {
  /** Told to the supervisor. */
  details?: Record<string, string>;
  /** Settles only if the process's work ends by itself, which is a failure. */
  ended?: Promise<unknown>;
  stop(): Promise<void>;
}

/** Header, body and query names that could hold a secret, wherever they appear in a logged object. */
const secretNames = [
  'authorization',
  'cookie',
  'token',
  'password',
  'secret',
  'apiKey',
  'privateKey',
  'connectionString',
];
const redact = {
  paths: secretNames.flatMap((name) => [name, `*.${name}`, `*.*.${name}`, `*.*.*.${name}`]),
  censor: '[secret]',
};

export function createLogger(name: string, level: string): Logger {
  return pino({ name, level, redact, timestamp: stdTimeFunctions.isoTime, serializers: { err: plainError } });
}

/** Without the extra properties that libraries hang on their errors: a driver's `detail` quotes a row's values. */
function plainError(e: unknown): unknown {
  if (!(e instanceof Error)) return e;
  const code = 'code' in e ? { code: e.code } : {};
  return {
    type: e.name,
    message: e.message,
    ...code,
    stack: e.stack,
    ...(e.cause ? { cause: plainError(e.cause) } : {}),
  };
}

/**
 * Runs a process: configuration, `start`, readiness, then waits for SIGTERM, SIGINT or the supervisor's end, and stops.
 * A second signal ends it at once.
 */
export async function runProcess(
  name: string,
  start: (context: { log: Logger; configuration: Configuration }) => Promise<StartedProcess>,
): Promise<void> {
  let log = createLogger(name, 'info');
  try {
    const configuration = loadConfiguration();
    log = createLogger(name, configuration.logLevel);
    const asked = askedToStop();
    void sweepScratch().then((folders) => {
      if (folders > 0)
        log.info({ folders }, 'removed what processes that are no more had left in the temporary folder');
    });
    const started = await start({ log, configuration });
    log.info(started.details ?? {}, 'ready');
    await tell({ type: 'ready', details: started.details ?? {} });
    const reason = await Promise.race([asked, ended(started)]);
    log.info({ reason }, 'stopping');
    await withDeadline(started.stop(), configuration.shutdownGraceSeconds * 1_000 + 5_000);
    log.info('stopped');
    process.exit(exitCodes.ok);
  } catch (e: unknown) {
    const error = toHuitongError(e, name);
    log.fatal({ err: e, code: error.code, at: error.at, hint: error.hint }, error.message);
    const { code, message, hint, at } = error;
    await tell({ type: 'failed', code, message, hint, at });
    process.exit(error.recovery === 'fatal' ? exitCodes.configuration : exitCodes.failed);
  }
}

/** Resolves with the reason. The supervisor's end closes the channel: without it nobody would stop us. */
function askedToStop(): Promise<string> {
  return new Promise((resolve) => {
    let asked = false;
    const ask = (reason: string) => {
      if (asked && reason.startsWith('SIG')) process.exit(exitCodes.failed);
      asked = true;
      resolve(reason);
    };
    process.on('SIGTERM', () => ask('SIGTERM'));
    process.on('SIGINT', () => ask('SIGINT'));
    process.on('disconnect', () => ask('the supervisor is gone'));
    if (process.send !== undefined && !process.connected) ask('the supervisor is gone');
  });
}

async function ended(started: StartedProcess): Promise<never> {
  if (started.ended === undefined) return new Promise(() => {});
  await started.ended;
  throw new Error('the work ended by itself');
}

async function withDeadline(work: Promise<void>, ms: number): Promise<void> {
  const timer = setTimeout(() => process.exit(exitCodes.failed), ms);
  await work;
  clearTimeout(timer);
}

/** Returns when the message is on its way; a supervisor that is gone cannot be told, and `disconnect` then ends us. */
function tell(message: ProcessMessage): Promise<void> {
  return new Promise((resolve) => {
    if (process.connected) process.send?.(message, undefined, {}, () => resolve());
    else resolve();
  });
}
