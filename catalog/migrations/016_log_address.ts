/**
 * Several servers, one log: where the one that holds it is reached by the others (exchange/audit/peers/, decision 0225).
 */
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table log_state add column address text;
    comment on column log_state.address is
      'where the sequencer of this epoch takes the leaves of other servers; written with the epoch';
    comment on column log_state.updated_at is 'of the newest flush or sign of life of the sequencer';
    comment on table projection_build is
      'who is making a projection or an index now; the lease runs out where the process died';
  `);
}
