import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { syncSchedules } from '../../../exchange/publication/schedules.ts';
import { type RunningTemporal, startTemporal } from '../../../runtime/embedded/temporal.ts';

let server: RunningTemporal;
let connection: Connection;
let client: Client;
beforeAll(async () => {
  server = await startTemporal({});
  connection = await Connection.connect({ address: server.address });
  client = new Client({ connection });
});
afterAll(async () => {
  await connection.close();
  await server.stop();
});

const daily = (dataset: string, cron = '30 2 * * *') => ({
  dataset,
  department: 'health',
  cron,
  timeZone: 'Asia/Shanghai',
});

/** The list of schedules lags behind what was done. */
async function listed(count: number): Promise<string[]> {
  for (;;) {
    const ids: string[] = [];
    for await (const { scheduleId } of client.schedule.list()) ids.push(scheduleId);
    if (ids.length === count) return ids.sort();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

it('schedules become what is declared; a paused one stays paused', async () => {
  const [a, b] = [daily('health.a'), daily('health.b')];
  expect(await syncSchedules(client, [a, b])).toEqual({ created: ['health.a', 'health.b'], updated: [], removed: [] });
  expect(await listed(2)).toEqual(['schedule/health.a', 'schedule/health.b']);
  await client.schedule.getHandle('schedule/health.a').pause('by the operator');

  const changed = daily('health.a', '45 3 * * *');
  expect(await syncSchedules(client, [changed])).toEqual({ created: [], updated: ['health.a'], removed: ['health.b'] });
  expect(await listed(1)).toEqual(['schedule/health.a']);
  const { spec, policies, state, action } = await client.schedule.getHandle('schedule/health.a').describe();
  expect(spec.calendars).toMatchObject([{ hour: [{ start: 3 }], minute: [{ start: 45 }] }]);
  expect(spec.timezone).toBe('Asia/Shanghai');
  expect(policies).toMatchObject({ overlap: 'SKIP', catchupWindow: 60 * 60 * 1000 });
  expect(state).toMatchObject({ paused: true, note: 'by the operator' });
  expect(action).toMatchObject({ workflowType: 'publishOnSchedule', args: [{ dataset: 'health.a' }] });
});
