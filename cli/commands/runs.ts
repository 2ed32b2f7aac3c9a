/** `publish`, `runs`, `run show`, `cancel`, `quarantine`. */
import { setTimeout as delay } from 'node:timers/promises';
import { type Command, Option } from 'commander';
import { type ErrorCode, errorCodes } from '../../lib/error-codes.ts';
import type { Language } from '../../lib/language.ts';
import { textTable } from '../../lib/text-table.ts';
import type { Run } from '../../schemas/generated/api.ts';
import type { ApiClient } from '../client.ts';
import { type CommandContext, take, wholeNumber } from '../context.ts';
import { saveTo } from '../deliver.ts';
import { CommandError, exitCodes } from '../errors.ts';
import { localTime, number, ProgressLine, print } from '../output.ts';

const POLL_MS = 400;
const runStates: Run['state'][] = ['running', 'published', 'unchanged', 'rejected', 'failed', 'cancelled'];

export function runCommands(program: Command, context: CommandContext): void {
  program
    .command('publish <dataset>')
    .description('extract a dataset, check it against its contract and publish a version')
    .option('--no-wait', 'start it and return')
    .option('--now', 'whatever the windows of the source; who asks for it stands in the log')
    .option('--confirm', 'publish even if the version is empty or lost half its rows')
    .option('--full', 'read everything again, whatever the mode')
    .option('--from <position>', 'mode upsert: read a range again, of rows behind this position of the cursor …')
    .option('--to <position>', '… and up to this one')
    .addHelpText('after', '\nExample:\n  $ huitong publish health.vaccinations')
    .action(async (dataset: string, { wait, ...body }: PublishOptions) => {
      const client = await context.client();
      const started = await client.post<Run>(`/datasets/${encodeURIComponent(dataset)}/runs`, body);
      const run = wait ? await follow(client, started.id) : started;
      context.show(run, wait ? showAccount : showRun);
      if (run.state === 'failed' || run.state === 'rejected' || run.state === 'cancelled')
        throw ended(run, context.language);
    });

  program
    .command('runs')
    .description('list runs, newest first')
    .option('--dataset <code>', 'of one dataset')
    .option('--department <code>', 'of one department')
    .addOption(new Option('--state <state>', 'in one state').choices(runStates))
    .option('--limit <n>', 'how many', wholeNumber, 20)
    .action(async ({ limit, ...filters }: { dataset?: string; department?: string; state?: string; limit: number }) => {
      const client = await context.client();
      const runs = await take(client.pages<Run>(`/runs?${new URLSearchParams(filters)}`), limit);
      context.show(runs, (list) => print(runTable(list)));
    });

  program
    .command('run')
    .description('one run')
    .command('show <run>')
    .description('what a run read, published and found')
    .action(async (id: string) => {
      const client = await context.client();
      context.show(await client.get<Run>(`/runs/${encodeURIComponent(id)}`), (run) => {
        showRun(run);
        showAccount(run);
      });
    });

  program
    .command('cancel <run>')
    .description('end a run; nothing of it is published')
    .option('--reason <text>', 'kept with the run')
    .action(async (id: string, options: { reason?: string }) => {
      const client = await context.client();
      const run = await client.post<Run>(`/runs/${encodeURIComponent(id)}/cancel`, options);
      context.show(run, showRun);
    });

  program
    .command('quarantine <run>')
    .description('the rows of a run that broke the contract; for the owning department only')
    .option('--output <file>', 'write them all as CSV')
    .option('--limit <n>', 'how many to list', wholeNumber, 20)
    .action(async (id: string, options: { output?: string; limit: number }) => {
      const client = await context.client();
      const path = `/runs/${encodeURIComponent(id)}/quarantine`;
      if (options.output) {
        const response = await client.open(path, { accept: 'text/csv' });
        await saveTo(options.output, response);
        context.show({ output: options.output }, ({ output }) => print(`written to ${output}`));
        return;
      }
      const rows = await take(client.pages<QuarantinedRow>(path), options.limit);
      context.show(rows, (list) =>
        print(
          textTable(list, [
            { title: 'partition', value: (r) => r.partition, align: 'right' },
            { title: 'row', value: (r) => r.ordinal, align: 'right' },
            { title: 'key', value: (r) => r.key },
            { title: 'errors', value: (r) => r.errors.map((e) => `${e.code} ${e.pointer}`).join(', ') },
          ]),
        ),
      );
    });
}

interface PublishOptions {
  wait: boolean;
  confirm?: boolean;
  now?: boolean;
  full?: boolean;
  from?: string;
  to?: string;
}

interface QuarantinedRow {
  partition: number;
  ordinal: number;
  /** JSON text. */
  key: string;
  errors: { code: string; pointer: string }[];
}

/** Follows a run to its end. Ctrl-C leaves the run going, and says so: it is the exchange's, not the terminal's. */
async function follow(client: ApiClient, id: string): Promise<Run> {
  const line = new ProgressLine();
  const interrupt = new AbortController();
  const onInterrupt = () => interrupt.abort();
  process.once('SIGINT', onInterrupt);
  try {
    for (;;) {
      const run = await client.get<Run>(`/runs/${encodeURIComponent(id)}`);
      if (run.state !== 'running') return run;
      const { progress, waiting } = run;
      const starting = waiting ? waitingText(waiting) : 'starting';
      line.update(
        progress
          ? `${run.dataset}: ${number(progress.rows ?? 0)} rows, ${progress.partitionsDone}/${progress.partitions} partitions`
          : `${run.dataset}: ${starting}`,
      );
      await delay(POLL_MS, undefined, { signal: interrupt.signal }).catch(() => {
        throw new CommandError(
          `运行仍在继续：huitong run show ${id} · the run goes on: huitong run show ${id}, huitong cancel ${id}`,
          exitCodes.interrupted,
        );
      });
    }
  } finally {
    process.removeListener('SIGINT', onInterrupt);
    line.end();
  }
}

function ended(run: Run, language: Language): CommandError {
  const why = run.failure ? `${run.failure.code}: ${run.failure.message}` : 'no version was published';
  const code = run.failure?.code;
  const hint = code && code in errorCodes ? `\n  → ${errorCodes[code as ErrorCode].hint[language]}` : '';
  return new CommandError(`run ${run.id} ${run.state}: ${why}${hint}`, exitCodes.failed);
}

/** What a run that has ended found: every row read is published or in quarantine. */
function showAccount(run: Run): void {
  const { account, quarantinedByCode } = run;
  if (account === null) return;
  const { rowsRead, rowsPublished, rowsQuarantined } = account;
  const version = run.version === null ? 'no version' : `version ${run.version}`;
  print(`${run.dataset} ${version} (${run.state}), run ${run.id}`);
  print(`read ${number(rowsRead)} = published ${number(rowsPublished)} + quarantined ${number(rowsQuarantined)}`);
  for (const [code, rows] of Object.entries(quarantinedByCode ?? {})) print(`  ${code}: ${number(rows)}`);
  showChanges(run);
  if (rowsQuarantined > 0) print(`see them: huitong quarantine ${run.id}`);
}

/** What an increment changed in the version before, and up to where its source was read. */
function showChanges({ changes, mode, position }: Run): void {
  if (!changes) return;
  const counts = Object.entries(changes).filter(([, count]) => count > 0);
  print(`${mode}: ${counts.map(([what, count]) => `${number(count)} ${what}`).join(', ') || 'nothing new'}`);
  if (changes.stale) print('rows whose newest state is in quarantine keep their last good one (stale)');
  if (position) print(`read up to ${position}`);
}

function showRun(run: Run): void {
  print(runTable([run]));
  if (run.waiting) print(waitingText(run.waiting));
}

function waitingText({ for: what, until }: NonNullable<Run['waiting']>): string {
  return what === 'window'
    ? `waits for the window of its source, which opens at ${localTime(until)}; --now reads regardless of it`
    : `waits for connections of its source, and asks again at ${localTime(until)}`;
}

function runTable(runs: Run[]): string {
  return textTable(runs, [
    { title: 'run', value: (r) => r.id },
    { title: 'dataset', value: (r) => r.dataset },
    { title: 'state', value: (r) => r.state },
    { title: 'version', value: (r) => r.version, align: 'right' },
    { title: 'read', value: (r) => r.account && number(r.account.rowsRead), align: 'right' },
    { title: 'published', value: (r) => r.account && number(r.account.rowsPublished), align: 'right' },
    { title: 'quarantined', value: (r) => r.account?.rowsQuarantined, align: 'right' },
    { title: 'error', value: (r) => r.failure?.code ?? '' },
  ]);
}
