import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { grouped } from '../../lib/grouped.ts';

test('what arrives while a round is on its way waits for the next, and each gets its own answer', async () => {
  const rounds: number[][] = [];
  const ask = grouped(async (questions: number[]) => {
    rounds.push(questions);
    await sleep(10);
    return questions.map((question) => (question < 0 ? new Error('negative') : question * 2));
  }, 3);
  const first = [ask(1), ask(2)];
  await expect.poll(() => rounds.length).toBe(1);
  const second = [ask(3), ask(-1), ask(5), ask(6)].map((answer) => answer.catch((e: Error) => e.message));
  expect(await Promise.all([...first, ...second])).toEqual([2, 4, 6, 'negative', 10, 12]);
  expect(rounds).toEqual([[1, 2], [3, -1, 5], [6]]);
});

test('a round that fails fails for those in it, and the next begins anew', async () => {
  let broken = true;
  const ask = grouped(async (questions: string[]) => {
    if (broken) throw new Error('away');
    return questions;
  }, 10);
  const [a, b] = [ask('a'), ask('b')];
  await expect(a).rejects.toThrow('away');
  await expect(b).rejects.toThrow('away');
  broken = false;
  expect(await ask('c')).toBe('c');
});
