/** Tags of stored parts (exchange/store/chunk-tags.ts): what any piece of a part is checked against before it is sent. */
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table part_tags (
      digest       text primary key check (digest ~ '^[0-9a-f]{64}$'),
      chunk_bytes  integer not null check (chunk_bytes > 0),
      key          bytea not null check (length(key) = 32),
      tags         bytea not null check (length(tags) % 16 = 0)
    );
    comment on table part_tags is 'derived from the parts: a row that is gone is made again when its part is read';
    comment on column part_tags.key is 'random, of this part alone; whoever reads it can make tags that fit other bytes';
  `);
}
