/** Increments: what a run was asked to read, what it is built on, and up to where a dataset's source has been read. */
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table run
      add column base_version integer,
      add column basis        text,
      add column reading      jsonb,
      add column mode         text check (mode in ('append', 'upsert', 'changes')),
      add column changes      jsonb,
      add column position     text;
    comment on column run.base_version is 'the current version when the run began: an increment built on another is fenced';
    comment on column run.basis is 'digest of what an increment depends on; another one than the last makes it a full refresh';
    comment on column run.reading is 'what was asked for: full, or the range from..to of a backfill';
    comment on column run.changes is 'what an increment changed, as in its manifest; null for a snapshot';

    alter table version
      add column mode           text check (mode in ('append', 'upsert', 'changes')),
      add column changes        jsonb,
      add column rows_published bigint;
    comment on column version.rows_published is 'rows read that kept the contract, where that is not the version''s rows';

    create table extraction_state (
      dataset     text primary key references dataset (code),
      run         uuid not null references run (id),
      version     integer not null,
      basis       text not null,
      position    text,
      updated_at  timestamptz(3) not null default now(),
      foreign key (dataset, version) references version (dataset, number)
    );
    comment on table extraction_state is 'written by the transaction that commits the version it belongs to, and by no other';
    comment on column extraction_state.position is 'the source''s own text; null where nothing was old enough to be read';
  `);
}
