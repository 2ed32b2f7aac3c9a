/** `version download`, `version verify`: a version in a folder, recounted without the exchange. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { Manifest } from '../../schemas/generated/manifest.ts';
import type { ApiClient } from '../client.ts';
import type { CommandContext } from '../context.ts';
import { saveTo } from '../deliver.ts';
import { CommandError, exitCodes } from '../errors.ts';
import { bytes, counted, ProgressLine, print } from '../output.ts';

export function versionCommands(program: Command, context: CommandContext): void {
  const version = program.command('version').description('versions in a folder of yours');

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
