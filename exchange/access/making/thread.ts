/**
 * The entry of a making thread: one projection, or some of its parts. It has neither catalog nor store nor keys but the
 * one for its masks; bytes are asked for and handed back, and the server's thread does the rest.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { readSchemaMessage } from '../../../columnar/message.ts';
import { HuitongError, toHuitongError } from '../../../lib/errors.ts';
import type { CheckedObject, PartStore } from '../../store/part-store.ts';
import type { StoredObject } from '../../store/store.ts';
import { rangeWithin } from '../../store/store.ts';
import { makeProjection } from './make-projection.ts';
import type { FromThread, StoreAnswer, StoreQuestion, ThreadJob } from './messages.ts';

/** Read at a time: a question costs as much as copying a part of this. */
const READ_BYTES = 2 * 1024 * 1024;

const port = parentPort;
if (port === null) throw new HuitongError('INTERNAL', 'this file is the entry of a thread');
const waiting: ((answer: StoreAnswer) => void)[] = [];
port.on('message', (answer: StoreAnswer) => waiting.shift()?.(answer));

async function ask(question: StoreQuestion, transfer: ArrayBuffer[] = []): Promise<unknown> {
  const answer = await new Promise<StoreAnswer>((resolve) => {
    waiting.push(resolve);
    say(question, transfer);
  });
  if ('value' in answer) return answer.value;
  const { code, message, ...details } = answer.failure;
  throw new HuitongError(code, message, details);
}

function say(message: FromThread, transfer: ArrayBuffer[] = []): void {
  port!.postMessage(message, transfer);
}

const store: PartStore = {
  async open(digest): Promise<CheckedObject> {
    const sizeBytes = (await ask({ ask: 'open', digest })) as number;
    return {
      checked: true,
      sizeBytes,
      async *lend(range) {
        const { offset, length } = rangeWithin({ digest, sizeBytes }, range);
        for (let done = 0; done < length; done += READ_BYTES) {
          const question = { ask: 'read', digest, offset: offset + done, length: Math.min(READ_BYTES, length - done) };
          yield (await ask(question as StoreQuestion)) as Uint8Array;
        }
      },
      close: async () => {
        await ask({ ask: 'close', digest });
      },
    };
  },
  async put(chunks) {
    for await (const chunk of chunks) {
      // The writer uses its buffers again.
      const bytes = new Uint8Array(chunk);
      await ask({ ask: 'put', bytes }, [bytes.buffer]);
    }
    return (await ask({ ask: 'put', bytes: null })) as StoredObject;
  },
};

const { schema, parts, policy, maskKey } = workerData as ThreadJob;
makeProjection(store, { schema: readSchemaMessage(schema), parts }, { policy, maskKey })
  .then(
    (made) => say({ made }),
    (e: unknown) => {
      const { code, message, at, pointer } = toHuitongError(e);
      say({ failure: { code, message, at, pointer } });
    },
  )
  .finally(() => port.close());
