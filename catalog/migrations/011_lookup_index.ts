/** Indexes for look-ups (exchange/access/lookup/): one beside a version, made from it, and made again when it is gone. */
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table lookup_index (
      dataset         text not null,
      version         integer not null,
      keyed_by        text not null check (keyed_by ~ '^[0-9a-f]{64}$'),
      key_columns     text[] not null,
      salt            integer not null,
      slots_digest    text not null check (slots_digest ~ '^[0-9a-f]{64}$'),
      slots_bytes     bigint not null,
      records_digest  text not null check (records_digest ~ '^[0-9a-f]{64}$'),
      records_bytes   bigint not null,
      rows            bigint not null,
      built_at        timestamptz(3) not null default now(),
      primary key (dataset, version, keyed_by),
      foreign key (dataset, version) references version (dataset, number) on delete cascade
    );
    create index lookup_index_slots on lookup_index (slots_digest);
    create index lookup_index_records on lookup_index (records_digest);
    comment on column lookup_index.keyed_by is 'names the key of the hashes: with another subject key another index is made';
    comment on column lookup_index.salt is 'of the hashes; above 0 where two keys of the version could not be told apart';
  `);
}
