/** Bodies of answers on their way to a file or to standard output. */
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import type { ApiClient } from './client.ts';
import type { CommandContext } from './context.ts';
import { CommandError, exitCodes } from './errors.ts';
import { print } from './output.ts';

/** The data of an answer to a file or to standard output, after its receipt where that is wanted. */
export async function deliver(
  context: CommandContext,
  client: ApiClient,
  response: Response,
  { output, receipt }: { output?: string; receipt?: string },
): Promise<void> {
  if (receipt) {
    const index = response.headers.get('x-huitong-audit-index');
    await saveTo(receipt, await client.open(`/receipts/${index}`));
  }
  if (output === undefined) return printBody(response);
  await saveTo(output, response);
  context.show({ output, version: Number(response.headers.get('x-huitong-version')) }, (saved) =>
    print(`版本 version ${saved.version}: ${saved.output}`),
  );
}

/** The file appears when it is whole; what breaks off, or is interrupted, leaves nothing. Only its owner may read it. */
export async function saveTo(file: string, response: Response): Promise<void> {
  const partial = `${file}.partial`;
  const interrupt = new AbortController();
  const onInterrupt = () => interrupt.abort();
  process.once('SIGINT', onInterrupt);
  try {
    const { signal } = interrupt;
    await pipeline(bodyOf(response), createWriteStream(partial, { mode: 0o600 }), { signal });
    await rename(partial, file);
  } catch (error) {
    await rm(partial, { force: true });
    if (interrupt.signal.aborted)
      throw new CommandError('已中断，未保留任何内容 · interrupted; nothing was kept', exitCodes.interrupted);
    throw incomplete(error);
  } finally {
    process.removeListener('SIGINT', onInterrupt);
  }
}

/** Where standard output ends first, so does the transfer, quietly. */
export async function printBody(response: Response): Promise<void> {
  await pipeline(bodyOf(response), process.stdout, { end: false }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw incomplete(error);
  });
}

function bodyOf(response: Response): Readable {
  return response.body === null ? Readable.from([]) : Readable.fromWeb(response.body as ReadableStream);
}

function incomplete(cause: unknown): CommandError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new CommandError(`数据未完整到达：${reason} · the data did not arrive whole: ${reason}`, exitCodes.failed);
}
