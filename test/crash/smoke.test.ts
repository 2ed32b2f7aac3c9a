import { expect, test } from 'vitest';
import { crash, faultOf } from './crash.ts';

/** Two faults for which nothing has to time out; `npm run crash -- --seeds 20` plays them all. */
const seeds = [1, 3];

test('a commit delivered twice, and one of an older run that comes late, break no invariant', async () => {
  const results = await crash({ seeds, rows: 30_000 });
  expect(results.map(({ fault, problems }) => ({ fault, problems }))).toEqual([
    ...seeds.map((seed) => ({ fault: faultOf(seed).name, problems: [] })),
    { fault: 'collect', problems: [] },
  ]);
  expect(results.slice(0, -1).map(({ outcome }) => outcome)).toEqual(['published v2', 'published v2']);
});
