/** `npm run crash -- --seeds 20`: faults at random positions of the publish path, and what holds in spite of them. */
import { parseArgs } from 'node:util';
import stringWidth from 'string-width';
import { crash, type SeedResult } from './crash.ts';

const help = `Usage: npm run crash -- [options]

Publishes again and again on an exchange of its own, with a fault (FAULTS.md 1 to 6) at a position that the seed decides,
and checks every invariant after each. About 20 s a seed.

  --seeds <n>   seeds 1 to n (default 10: each fault once)
  --seed <s>    one seed alone; may be given again
  --json        one line of JSON a seed instead of the table, and one for all
  --log         also what the supervisor does
`;

/** What the table shows, and how wide. */
const columns: [title: string, width: number, cell: (result: SeedResult) => string][] = [
  ['seed', 4, (result) => String(result.seed || '-')],
  ['fault', 16, (result) => result.fault],
  ['FAULTS', 7, (result) => result.of],
  ['dataset', 16, (result) => result.dataset],
  ['position', 56, (result) => result.position],
  ['outcome', 18, (result) => result.outcome],
  ['gen', 3, (result) => String(result.generations)],
  ['s', 5, (result) => result.seconds.toFixed(1)],
  ['invariants', 10, (result) => (result.problems.length === 0 ? 'hold' : `${result.problems.length} BROKEN`)],
];

// Ended early, the services and processes see that we are gone, and end too.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130));
process.exitCode = await main().catch((e: unknown) => {
  console.error(e);
  return 1;
});
// What still holds the event loop (a kept-alive connection) has nothing left to do.
process.exit();

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string' },
      seed: { type: 'string', multiple: true },
      json: { type: 'boolean' },
      log: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) {
    console.log(help);
    return 0;
  }
  const seeds = values.seed?.map(Number) ?? Array.from({ length: Number(values.seeds ?? 10) }, (_, i) => i + 1);
  if (seeds.length === 0 || !seeds.every((seed) => Number.isSafeInteger(seed) && seed >= 1)) {
    console.error(`seeds are whole numbers from 1\n\n${help}`);
    return 2;
  }
  const say = (line: string) => console.log(line);
  if (!values.json) say(row(columns.map(([title]) => title)));
  const results = await crash({
    seeds,
    onSeed: (result) => {
      if (values.json) return say(JSON.stringify(result));
      say(row(columns.map(([, , cell]) => cell(result))));
      for (const problem of result.problems) say(`     ✗ ${problem}`);
      if (result.problems.length > 0 && result.seed > 0) say(`     → npm run crash -- --seed ${result.seed}`);
    },
    onLog: (line) => values.log && console.error(line),
  });
  const broken = results.filter(({ problems }) => problems.length > 0).length;
  say(values.json ? JSON.stringify({ seeds: seeds.length, broken }) : `crash: ${seeds.length} seeds, ${broken} broken`);
  return broken === 0 ? 0 : 1;
}

function row(cells: string[]): string {
  return cells.map((cell, i) => cell + ' '.repeat(Math.max(0, (columns[i]?.[1] ?? 0) - stringWidth(cell)))).join('  ');
}
