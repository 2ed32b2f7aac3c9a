/**
 * Runs, what they staged, and what came of them: versions, quarantine, lineage, leases, and the outbox of the audit log.
 *
 * A version exists when one transaction has inserted its row, moved `dataset.current_version`, found the run's epoch
 * still current, and put its leaf into `audit_outbox` (DESIGN.md, decision 4).
 */
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(RUNS);
  await knex.raw(VERSIONS);
  await knex.raw(AROUND);
}

const RUNS = `
  create table run (
    id                  uuid primary key,
    dataset             text not null references dataset (code),
    workflow_id         text not null,
    trigger             text not null check (trigger in ('manual', 'schedule')),
    actor               text not null,
    confirmed           boolean not null,
    epoch               bigint not null,
    generation          integer not null default 0 check (generation >= 0),
    contract_version    text,
    trusted             boolean not null default false,
    rechecked_report    text,
    state               text not null default 'running'
                        check (state in ('running', 'published', 'unchanged', 'rejected', 'failed', 'cancelled')),
    report_digest       text,
    version             integer,
    failure_code        text,
    failure_message     text,
    rows_read           bigint,
    rows_published      bigint,
    rows_quarantined    bigint,
    quarantined_by_code jsonb,
    started_at          timestamptz(3) not null default now(),
    ended_at            timestamptz(3),
    unique (dataset, epoch),
    check ((state = 'running') = (ended_at is null)),
    check (rows_read = rows_published + rows_quarantined)
  );
  create index run_recent on run (started_at desc, id desc);
  create index run_of_dataset on run (dataset, started_at desc, id desc);
  create index run_running on run (dataset) where state = 'running';
  comment on column run.id is 'the workflow''s run id';
  comment on column run.confirmed is 'whoever started it knows that the version may be empty or lose half its rows';
  comment on column run.trusted is 'the worker of this generation is the exchange''s own: no second contract check';
  comment on column run.rechecked_report is 'the report whose parts passed the second contract check';
  comment on column run.rows_published is 'rows that kept the contract, also where the run was rejected afterwards';

  create table staged_object (
    run         uuid not null references run (id),
    generation  integer not null,
    digest      text not null check (digest ~ '^[0-9a-f]{64}$'),
    kind        text not null check (kind in ('part', 'quarantine', 'report', 'manifest')),
    size_bytes  bigint not null check (size_bytes >= 0),
    kept        boolean not null default false,
    staged_at   timestamptz(3) not null default now(),
    primary key (run, generation, digest)
  );
  create index staged_object_digest on staged_object (digest);
  comment on column staged_object.kept is 'the run ended and refers to it; the rest of an ended run is collected';
`;

const VERSIONS = `
  create table version (
    dataset           text not null references dataset (code),
    number            integer not null check (number >= 1),
    run               uuid not null unique references run (id),
    manifest_digest   text not null check (manifest_digest ~ '^[0-9a-f]{64}$'),
    contract_version  text not null,
    contract_digest   text not null,
    guarantee         text not null check (guarantee in ('snapshot', 'transaction', 'none')),
    snapshot_at       timestamptz(3) not null,
    rows              bigint not null check (rows >= 0),
    bytes             bigint not null check (bytes >= 0),
    parts             integer not null check (parts >= 0),
    rows_read         bigint not null,
    rows_quarantined  bigint not null,
    published_at      timestamptz(3) not null default now(),
    primary key (dataset, number),
    foreign key (dataset, contract_version) references contract (dataset, version)
  );
  comment on table version is 'immutable; exists when its row does';

  alter table dataset add constraint dataset_current_version foreign key (code, current_version)
    references version (dataset, number);
  alter table run add constraint run_version foreign key (dataset, version) references version (dataset, number);
`;

const AROUND = `
  create table quarantine_part (
    run         uuid not null references run (id),
    position    integer not null,
    dataset     text not null references dataset (code),
    digest      text not null,
    size_bytes  bigint not null,
    rows        bigint not null,
    expires_at  timestamptz(3) not null,
    primary key (run, position)
  );
  create index quarantine_part_digest on quarantine_part (digest);
  create index quarantine_part_expiry on quarantine_part (expires_at);

  create table lineage_edge (
    dataset        text not null references dataset (code),
    item           text not null,
    source         text not null references source (code),
    source_table   text not null,
    source_column  text not null,
    since_version  integer not null,
    until_version  integer,
    primary key (dataset, since_version, item, source, source_table, source_column),
    foreign key (dataset, since_version) references version (dataset, number),
    check (until_version > since_version)
  );
  create unique index lineage_edge_current on lineage_edge (dataset, item, source, source_table, source_column)
    where until_version is null;
  comment on column lineage_edge.until_version is 'the first version that no longer has the edge: 10,000 equal versions are one row';

  create table lease (
    id          uuid not null,
    digest      text not null,
    holder      text not null,
    expires_at  timestamptz(3) not null,
    primary key (id, digest)
  );
  create index lease_digest on lease (digest);
  create index lease_expiry on lease (expires_at);

  create table audit_outbox (
    id          bigserial primary key,
    leaf        jsonb not null,
    created_at  timestamptz(3) not null default now()
  );
  comment on table audit_outbox is 'leaves written by the transaction they tell of; the log''s sequencer takes them from here';
`;
