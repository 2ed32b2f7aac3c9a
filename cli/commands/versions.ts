/** `versions`: which there are, and until when. `version …`: one in a folder, recounted without the exchange; kept from expiring. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { type Column, textTable } from '../../lib/text-table.ts';
import type { Version } from '../../schemas/generated/api.ts';
import type { Manifest } from '../../schemas/generated/manifest.ts';
import type { ApiClient } from '../client.ts';
import { type CommandContext, take, wholeNumber } from '../context.ts';
import { saveTo } from '../deliver.ts';
import { CommandError, exitCodes } from '../errors.ts';
import { bytes, counted, localTime, number, ProgressLine, print } from '../output.ts';

export function versionCommands(program: Command, context: CommandContext): void {
  addVersionsCommand(program, context);
  const version = program.command('version').description('one version: in a folder of yours, kept from expiring');
  addKeepCommand(version, context);

  version
    .command('download <dataset> <version>')
    .description('the manifest and every part, as stored')
    .requiredOption('--to <folder>', 'made if absent')
    .action(async (dataset: string, number_: string, options: { to: string }) => {
      const client = await context.client();
      const path = `/datasets/${encodeURIComponent(dataset)}/versions/${encodeURIComponent(number_)}`;
      const manifest = await download(client, path, options.to);
      context.show(manifest, ({ rows, bytes: size }) =>
        print(`${counted(rows, 'row')}, ${bytes(size)} in ${options.to}`),
      );
    });

  version
    .command('verify <folder>')
    .description('hash every part and recount rows and sums from the files alone')
    .addHelpText(
      'after',
      '\nExample:\n  $ huitong version download health.vaccinations 1 --to v1 && huitong version verify v1',
    )
    .action(async (folder: string) => {
      const line = new ProgressLine();
      // Arrow: no other command needs it.
      const { verifyVersion } = await import('../verify-version.ts');
      const verdict = await verifyVersion(folder, (done, total) => line.update(`part ${done}/${total}`));
      line.end();
      context.show(verdict, ({ dataset, version: n, rows, parts, problems }) => {
        for (const problem of problems) print(`✗ ${problem}`);
        if (problems.length === 0)
          print(
            `✓ ${dataset} version ${n}: ${counted(rows, 'row')} in ${counted(parts, 'part')}, all as the manifest says`,
          );
      });
      if (verdict.problems.length > 0)
        throw new CommandError(`${folder} 与其清单不符 · ${folder} is not what its manifest says`, exitCodes.failed);
    });
}

/** Under `huitong` and under `huitong dataset`. */
export function addVersionsCommand(parent: Command, context: CommandContext): void {
  parent
    .command('versions <dataset>')
    .description('版本与留存 · published versions, newest first, and until when they can be read')
    .option('--limit <n>', 'how many', wholeNumber, 20)
    .action(async (code: string, options: { limit: number }) => {
      const client = await context.client();
      const found = await take(client.pages<Version>(`/datasets/${encodeURIComponent(code)}/versions`), options.limit);
      context.show(found, (list) => print(textTable(list, versionColumns)));
    });
}

const versionColumns: Column<Version>[] = [
  { title: 'version', value: (v) => v.version, align: 'right' },
  { title: 'published', value: (v) => localTime(v.publishedAt) },
  { title: 'mode', value: (v) => v.mode },
  { title: 'rows', value: (v) => number(v.rows), align: 'right' },
  { title: 'changed', value: (v) => changedText(v.changes) },
  { title: 'quarantined', value: (v) => number(v.account.rowsQuarantined), align: 'right' },
  { title: 'size', value: (v) => bytes(v.bytes), align: 'right' },
  { title: 'contract', value: (v) => v.contractVersion },
  { title: 'read as', value: (v) => v.guarantee },
  { title: '留存 kept', value: keptText },
  { title: 'recalled', value: (v) => v.recalled && `撤回 ${localTime(v.recalled.at)}: ${v.recalled.reason}` },
];

function keptText({ current, retention }: Version): string {
  const { expiredAt, expiresAt, heldUntil, heldFor, versionsMin } = retention;
  if (expiredAt !== null) return `已到期 expired ${localTime(expiredAt)}`;
  const held = heldUntil === null ? '' : `; 保留至 held until ${localTime(heldUntil)}${heldFor ? `: ${heldFor}` : ''}`;
  if (current) return `现行 current${held}`;
  if (expiresAt === null) return `最新 ${versionsMin} 版之一 one of the newest ${versionsMin}${held}`;
  return `至 until ${localTime(expiresAt)}${held}`;
}

/** `+3 ~2 −1`: inserted, updated, deleted or no longer found; empty for a snapshot. */
function changedText(changes: Version['changes']): string {
  if (changes === null) return '';
  const { inserted = 0, updated = 0, deleted = 0, vanished = 0, stale = 0 } = changes;
  const texts = [`+${inserted}`, `~${updated}`, `−${deleted + vanished}`, ...(stale > 0 ? [`${stale} stale`] : [])];
  return texts.join(' ');
}

function addKeepCommand(version: Command, context: CommandContext): void {
  version
    .command('keep <dataset> <version>')
    .description('保留版本 · keep a version from expiring, for its department’s data engineer or officer; logged')
    .option('--until <time>', 'a day (to its end, Beijing time) or RFC 3339')
    .option('--reason <text>', 'shown to your department')
    .option('--release', '解除保留 · let its retention decide again')
    .addHelpText(
      'after',
      '\nExample:\n  $ huitong version keep health.vaccinations 3 --until 2027-12-31 --reason 行政复议\n  $ huitong version keep health.vaccinations 3 --release',
    )
    .action(async (dataset: string, number_: string, options: KeepOptions) => {
      const client = await context.client();
      const path = `/datasets/${encodeURIComponent(dataset)}/versions/${encodeURIComponent(number_)}`;
      if (options.release) await client.delete(`${path}/hold`);
      else await client.post(`${path}/hold`, holdOf(options));
      context.show(await client.get<Version>(path), (kept) => print(textTable([kept], versionColumns)));
    });
}

interface KeepOptions {
  until?: string;
  reason?: string;
  release?: boolean;
}

function holdOf({ until, reason }: KeepOptions): { until: string; reason: string } {
  if (until === undefined || reason === undefined) {
    throw new CommandError('give --until and --reason, or --release', exitCodes.usage);
  }
  return { until: /^\d{4}-\d\d-\d\d$/.test(until) ? `${until}T23:59:59+08:00` : until, reason };
}

async function download(client: ApiClient, path: string, folder: string): Promise<Manifest> {
  await mkdir(join(folder, 'parts'), { recursive: true });
  const manifestFile = join(folder, 'manifest.json');
  const response = await client.open(`${path}/manifest`);
  const text = await response.text();
  const manifest = JSON.parse(text) as Manifest;
  const parts = manifest.segments.flatMap((segment) => segment.parts);
  const line = new ProgressLine();
  for (const [i, { digest }] of parts.entries()) {
    line.update(`part ${i + 1}/${parts.length}`);
    await saveTo(join(folder, 'parts', digest), await client.open(`${path}/parts/${digest}`));
  }
  line.end();
  // Last: a folder with a manifest has all of its parts.
  await saveTo(manifestFile, new Response(text));
  return manifest;
}
