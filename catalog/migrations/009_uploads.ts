/** Files that departments upload for their sources, and which of them a run reads. */
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table source_upload (
      id           uuid primary key,
      source       text not null references source (code),
      name         text not null,
      digest       text not null check (digest ~ '^[0-9a-f]{64}$'),
      size_bytes   bigint not null check (size_bytes >= 0),
      uploaded_by  text not null,
      uploaded_at  timestamptz(3) not null default now(),
      state        text not null default 'current' check (state in ('current', 'replaced', 'removed')),
      ended_at     timestamptz(3),
      check ((state = 'current') = (ended_at is null))
    );
    create unique index source_upload_current on source_upload (source, name) where state = 'current';
    create index source_upload_recent on source_upload (source, id desc);
    create index source_upload_digest on source_upload (digest) where state = 'current';
    comment on table source_upload is 'one row a file that arrived; the object of one that is not current is collected once no run reads it';

    create table run_upload (
      run         uuid not null references run (id),
      source      text not null references source (code),
      name        text not null,
      digest      text not null,
      size_bytes  bigint not null,
      primary key (run, name)
    );
    create index run_upload_digest on run_upload (digest);
    comment on table run_upload is 'pinned by a run''s first generation and read by all of them; forgotten when the run has ended: its report tells what it read';
  `);
}
