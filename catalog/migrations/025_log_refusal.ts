/** A log that is not written, because the database went backwards or contradicts itself (exchange/audit/refusal.ts). */
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table log_state add column refused text;
    comment on column log_state.refused is
      'the error code with which the sequencer refused to write; no change that needs a leaf is made while it stands';
  `);
}
