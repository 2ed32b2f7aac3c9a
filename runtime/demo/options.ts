/** The demo's command line: `npm run demo -- --once --scale 0.1`. */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { HuitongError } from '../../lib/errors.ts';

export interface DemoOptions {
  /** Publish, check, stop, and end with 0 or 1. */
  once: boolean;
  /** 1 is about 500,000 rows over all databases. */
  scale: number;
  /** Forget the state of former demos first. */
  fresh: boolean;
  state: string;
  /** The port of the HTTP API that is wanted; absent: the one used last, else 8480. */
  port?: number;
  /** A SQL Server for the departments that have one, and a user who may create databases; absent: they do without. */
  mssqlUrl?: string;
  help: boolean;
}

export const demoHelp = `Usage: npm run demo -- [options]

Starts an exchange with the synthetic databases of Longhua on this machine, and publishes every dataset.

  --once        publish, check what came out, stop, and end with 0 or 1
  --scale <n>   size of the databases; 1 (the default) is about 500,000 rows; 0.001 to 100
  --fresh       forget what former demos left first
  --port <n>    port of the HTTP API (8480; another free one is taken where it is in use)
  --state <dir> where everything is kept (.huitong)

Where MSSQL_URL names a SQL Server (mssql://sa:password@host:1433/master), three departments are on it.

Examples:
  npm run demo
  npm run demo -- --once --scale 0.1 --fresh
`;

/** @throws CONFIG_INVALID which names the option */
export function parseDemoOptions(
  args: string[],
  directory: string,
  { MSSQL_URL: mssqlUrl }: NodeJS.ProcessEnv = {},
): DemoOptions {
  const { values } = parse(args);
  return {
    once: values.once ?? false,
    fresh: values.fresh ?? false,
    help: values.help ?? false,
    state: values.state ?? join(directory, '.huitong'),
    scale: numberOf('--scale', values.scale ?? '1', 0.001, 100),
    ...(mssqlUrl ? { mssqlUrl } : {}),
    ...(values.port === undefined ? {} : { port: numberOf('--port', values.port, 1, 65_535) }),
  };
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        once: { type: 'boolean' },
        fresh: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
        scale: { type: 'string' },
        port: { type: 'string' },
        state: { type: 'string' },
      },
    });
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : 'the options cannot be read';
    throw new HuitongError('CONFIG_INVALID', message, { cause, hint: 'See `npm run demo -- --help`.' });
  }
}

function numberOf(option: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= least && value <= most) return value;
  throw new HuitongError('CONFIG_INVALID', `${option} is a number from ${least} to ${most}`, {
    at: option,
    hint: 'See `npm run demo -- --help`.',
  });
}
