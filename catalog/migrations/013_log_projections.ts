/**
 * What is derived from the audit log, leaf by leaf and once each (exchange/duties/projections.ts): metering, who has read
 * which version, and under which leaves a person's record was looked up. All of it can be thrown away and made again:
 * empty the tables, set `log_projection.next_index` to 0.
 */
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table log_projection (
      id          smallint primary key default 1 check (id = 1),
      next_index  bigint not null check (next_index >= 0)
    );
    comment on column log_projection.next_index is 'the first leaf that is not counted; moved in the transaction that counts';
    insert into log_projection (next_index) values (0);

    create table metering (
      day         date not null,
      dataset     text not null,
      department  text not null,
      "grant"     text not null,
      matter      text not null,
      reads       bigint not null,
      rows        bigint not null,
      bytes       bigint not null,
      lookups     bigint not null,
      refusals    bigint not null,
      primary key (day, dataset, department, "grant", matter)
    );
    create index metering_department on metering (department, day);
    create index metering_dataset on metering (dataset, day);
    comment on column metering.day is 'of the leaf''s time, in Asia/Shanghai';
    comment on column metering.department is 'on whose behalf; empty where nobody''s, as are grant and matter';
    comment on column metering.dataset is '(unknown) where what was asked for does not exist';

    create table dataset_reader (
      dataset     text not null,
      version     integer not null,
      department  text not null,
      first_at    timestamptz(3) not null,
      last_at     timestamptz(3) not null,
      primary key (dataset, version, department)
    );

    create table subject_access (
      subject_hash  bytea not null check (length(subject_hash) = 32),
      index         bigint not null,
      at            timestamptz(3) not null,
      primary key (subject_hash, index)
    );
    create index subject_access_at on subject_access (at);
    comment on table subject_access is 'leaves of look-ups by the keyed hash of the key that was looked up; the leaf itself says the rest';
  `);
}
