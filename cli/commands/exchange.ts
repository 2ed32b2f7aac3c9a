/** `health`, `schedule list`, `schedule pause`, `schedule resume`. */
import type { Command } from 'commander';
import { textTable } from '../../lib/text-table.ts';
import type { CommandContext } from '../context.ts';
import { CommandError, exitCodes } from '../errors.ts';
import { localTime, print } from '../output.ts';

interface Schedule {
  dataset: string;
  paused: boolean;
  note?: string;
  nextAt?: string;
}

export function exchangeCommands(program: Command, context: CommandContext): void {
  program
    .command('health')
    .description('whether the exchange answers, and what it depends on')
    .action(async () => {
      const client = await context.client();
      const health = await client.health();
      context.show(health, ({ checks }) => {
        for (const [name, state] of Object.entries(checks)) print(`${state === 'ok' ? '✓' : '✗'} ${name}: ${state}`);
      });
      if (!health.ok) throw new CommandError('交换平台运行不正常 · the exchange is not well', exitCodes.failed);
    });

  const schedule = program.command('schedule').description('when datasets publish by themselves');

  schedule
    .command('list')
    .description('every schedule, and which of them is paused')
    .action(async () => {
      const client = await context.client();
      const { items } = await client.get<{ items: Schedule[] }>('/schedules');
      context.show(items, (list) => print(scheduleTable(list)));
    });

  for (const step of ['pause', 'resume'] as const) {
    schedule
      .command(`${step} <dataset>`)
      .description(step === 'pause' ? 'no run starts by itself until it is resumed' : 'runs start by themselves again')
      .option('--reason <text>', 'kept with the schedule')
      .action(async (dataset: string, options: { reason?: string }) => {
        const client = await context.client();
        const changed = await client.post<Schedule>(
          `/datasets/${encodeURIComponent(dataset)}/schedule/${step}`,
          options,
        );
        context.show(changed, (one) => print(scheduleTable([one])));
      });
  }
}

function scheduleTable(schedules: Schedule[]): string {
  return textTable(schedules, [
    { title: 'dataset', value: (s) => s.dataset },
    { title: 'next run', value: (s) => (s.paused ? 'paused' : localTime(s.nextAt)) },
    { title: 'note', value: (s) => s.note },
  ]);
}
