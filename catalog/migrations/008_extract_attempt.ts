/** Which attempt to extract opened a run's generation, so that an attempt that was given up cannot open a newer one. */
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table run add column extract_attempt integer not null default 0;
    comment on column run.extract_attempt is 'the attempt of the activity that opened the generation; an older one opens none';
  `);
}
