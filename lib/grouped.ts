/**
 * Questions that arrive together are asked together: while one round is on its way, whoever comes waits for the next.
 * An answer is always from a round that began after the question was put, so nobody is told what was true before.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';

interface Waiting<Question, Answer> {
  question: Question;
  resolve(answer: Answer): void;
  reject(error: unknown): void;
}

/**
 * @param ask answers a round, in the order of its questions; an Error among the answers is one question's failure, a
 * rejection is everybody's
 * @param most questions of one round
 */
export function grouped<Question, Answer>(
  ask: (questions: Question[]) => Promise<(Answer | Error)[]>,
  most: number,
): (question: Question) => Promise<Answer> {
  const queue: Waiting<Question, Answer>[] = [];
  let running = false;
  const runAll = async () => {
    running = true;
    // Deferred once, so that what arrives in the same turn of the event loop shares the first round.
    await nextTurn();
    while (queue.length > 0) await runOne(ask, queue.splice(0, most));
    running = false;
  };
  return (question) =>
    new Promise((resolve, reject) => {
      queue.push({ question, resolve, reject });
      if (!running) void runAll();
    });
}

async function runOne<Question, Answer>(
  ask: (questions: Question[]) => Promise<(Answer | Error)[]>,
  round: Waiting<Question, Answer>[],
): Promise<void> {
  try {
    const answers = await ask(round.map(({ question }) => question));
    round.forEach((one, i) => {
      const answer = answers[i] as Answer | Error;
      if (answer instanceof Error) one.reject(answer);
      else one.resolve(answer);
    });
  } catch (error: unknown) {
    for (const one of round) one.reject(error);
  }
}
