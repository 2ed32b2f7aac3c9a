/**
 * The entry of a making thread: a file, a projection, or some of its parts. It has neither catalog nor store nor keys but the
 * one for its masks; bytes are asked for and handed back, and the server's thread does the rest.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { readSchemaMessage } from '../../../columnar/message.ts';
import { HuitongError, toHuitongError } from '../../../lib/errors.ts';
import type { CheckedObject, PartStore } from '../../store/part-store.ts';
import type { StoredObject } from '../../store/store.ts';
import { rangeWithin } from '../../store/store.ts';
import { make } from './make.ts';
import type { FromThread, StoreAnswer, StoreQuestion, ThreadJob } from './messages.ts';

const port = parentPort;
if (port === null) throw new HuitongError('INTERNAL', 'this file is the entry of a thread');
const waiting: ((answer: StoreAnswer) => void)[] = [];
port.on('message', (answer: StoreAnswer) => waiting.shift()?.(answer));

async function ask(question: StoreQuestion): Promise<unknown> {
  const answer = await new Promise<StoreAnswer>((resolve) => {
    waiting.push(resolve);
    say(question);
  });
  if ('value' in answer) return answer.value;
  const { code, message, ...details } = answer.failure;
  throw new HuitongError(code, message, details);
}

function say(message: FromThread): void {
  port!.postMessage(message);
}

const { work, schema, parts, memory } = workerData as ThreadJob;
const [read, put] = [new Uint8Array(memory.read), new Uint8Array(memory.put)];

const store: PartStore = {
  async open(digest): Promise<CheckedObject> {
    const sizeBytes = (await ask({ ask: 'open', digest })) as number;
    return {
      checked: true,
      sizeBytes,
      async *lend(range) {
        const { offset, length } = rangeWithin({ digest, sizeBytes }, range);
        for (let done = 0; done < length; done += read.byteLength) {
          const bytes = Math.min(read.byteLength, length - done);
          await ask({ ask: 'read', digest, offset: offset + done, length: bytes });
          yield read.subarray(0, bytes);
        }
      },
      close: async () => {
        await ask({ ask: 'close', digest });
      },
    };
  },
  async put(chunks) {
    // What comes next is made while these bytes are stored.
    let taken: Promise<unknown> = Promise.resolve();
    for await (const chunk of chunks) {
      for (let from = 0; from < chunk.byteLength; from += put.byteLength) {
        const piece = chunk.subarray(from, from + put.byteLength);
        await taken;
        put.set(piece);
        taken = ask({ ask: 'put', bytes: piece.byteLength });
        // Told by the next `await`, which may be far off.
        taken.catch(() => {});
      }
    }
    await taken;
    return (await ask({ ask: 'put', bytes: null })) as StoredObject;
  },
};

make(store, { schema: readSchemaMessage(schema), parts }, work)
  .then(
    (made) => say({ made }),
    (e: unknown) => {
      const { code, message, at, pointer } = toHuitongError(e);
      say({ failure: { code, message, at, pointer } });
    },
  )
  .finally(() => port.close());
