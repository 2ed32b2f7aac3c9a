/** `source upload`, `source uploads`, `source remove-upload`. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Command } from 'commander';
import { textTable } from '../../lib/text-table.ts';
import type { Upload } from '../../schemas/generated/api.ts';
import { type CommandContext, take, wholeNumber } from '../context.ts';
import { CommandError, exitCodes } from '../errors.ts';
import { bytes, localTime, print } from '../output.ts';

export function uploadCommands(source: Command, context: CommandContext): void {
  source
    .command('upload <source> <file>')
    .description('hand a file over for a source; it replaces the file of the same name')
    .option('--name <name>', 'the name that it gets (default: its own)')
    .action(async (code: string, path: string, options: { name?: string }) => {
      const digest = await digestOf(path);
      const { size } = await stat(path);
      const name = options.name ?? basename(path).normalize('NFC');
      const client = await context.client();
      const query = new URLSearchParams({ name, digest });
      const to = `/sources/${encodeURIComponent(code)}/uploads?${query}`;
      const upload = await client.send<Upload>(to, { bytes: createReadStream(path), sizeBytes: size });
      context.show(upload, () => print(`${upload.name} · ${bytes(upload.sizeBytes)} · ${upload.digest}`));
    });

  source
    .command('uploads <source>')
    .description('files that were uploaded for a source, newest first')
    .option('--all', 'also those that were replaced or removed')
    .option('--limit <n>', 'how many at most', wholeNumber, 100)
    .action(async (code: string, options: { all?: boolean; limit: number }) => {
      const client = await context.client();
      const query = options.all ? '' : '?current=true';
      const listed = client.pages<Upload>(`/sources/${encodeURIComponent(code)}/uploads${query}`);
      context.show(await take(listed, options.limit), (list) =>
        print(
          textTable(list, [
            { title: 'id', value: (u) => u.id },
            { title: 'file', value: (u) => u.name },
            { title: 'size', value: (u) => bytes(u.sizeBytes), align: 'right' },
            { title: 'uploaded', value: (u) => localTime(u.uploadedAt) },
            { title: 'state', value: (u) => u.state },
            { title: 'digest', value: (u) => u.digest.slice(0, 12) },
          ]),
        ),
      );
    });

  source
    .command('remove-upload <source> <id>')
    .description('take an uploaded file away: later runs do not see it')
    .action(async (code: string, id: string) => {
      const client = await context.client();
      await client.delete(`/sources/${encodeURIComponent(code)}/uploads/${encodeURIComponent(id)}`);
    });
}

/** Sent along, so that a file which changes or breaks on its way is refused rather than kept. */
async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  } catch (cause: unknown) {
    const why = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unreadable';
    throw new CommandError(`无法读取 ${path} (${why}) · ${path} cannot be read (${why})`, exitCodes.usage);
  }
  return hash.digest('hex');
}
