/**
 * The audit log (exchange/audit/): its state in one row, its leaves, and the full tiles of its Merkle tree.
 *
 * `log_state` is rewritten on every flush: a low fill factor keeps its updates on one page (HOT). Leaves and tiles are
 * written once. Only the sequencer writes here; what it writes is one statement a flush.
 */
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table log_state (
      id          smallint primary key default 1 check (id = 1),
      size        bigint not null check (size >= 0),
      root        bytea not null check (length(root) = 32),
      epoch       bigint not null check (epoch >= 0),
      head        text,
      updated_at  timestamptz(3) not null default now()
    ) with (fillfactor = 20);
    comment on column log_state.epoch is 'raised by each sequencer that takes over; a flush of an older one changes nothing';
    comment on column log_state.head is 'the newest signed head (a C2SP note); null before the first';
    insert into log_state (size, root, epoch) values (0, sha256(''::bytea), 0);

    create table log_entry (
      index  bigint primary key check (index >= 0),
      entry  bytea not null
    );
    comment on column log_entry.entry is 'the leaf''s canonical JSON, UTF-8, exactly as hashed';
    alter table log_entry alter column entry set storage main;

    create table log_tile (
      level   smallint not null check (level >= 0),
      index   bigint not null check (index >= 0),
      hashes  bytea not null check (length(hashes) = 256 * 32),
      primary key (level, index)
    );
    comment on table log_tile is '256 nodes of tree level 8 x level, once all of them are complete';
    alter table log_tile alter column hashes set storage external;
  `);
}
