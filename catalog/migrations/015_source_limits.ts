/** What a source's limits make of a run (exchange/publication/admission.ts, decision 0205). */
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table run
      -- whatever the source's windows: an engineer said so
      add column regardless    boolean not null default false,
      -- from then on it holds \`connections\` of its source, until its state is no longer 'running'
      add column admitted_at   timestamptz(3),
      add column connections   integer check (connections >= 2),
      add column waiting_for   text check (waiting_for in ('window', 'connections')),
      add column waiting_until timestamptz(3),
      add check ((waiting_for is null) = (waiting_until is null)),
      add check (connections is null or admitted_at is not null);
  `);
}
