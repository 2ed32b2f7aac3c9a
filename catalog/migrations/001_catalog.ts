/**
 * Departments, sources, datasets and contracts, as a district's files declare them, and the record of each apply.
 *
 * Codes are primary keys: a code is given once by the district's files and never changes. `definition` is the document
 * as it was applied (schemas/definition/); columns beside it are what is searched, joined or locked.
 */
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table department (
      code         text primary key,
      name_zh      text not null,
      name_en      text not null,
      credit_code  text unique,
      definition   jsonb not null,
      state        text not null default 'active' check (state in ('active', 'retired')),
      created_at   timestamptz(3) not null default now(),
      updated_at   timestamptz(3) not null default now()
    );

    create table source (
      code        text primary key,
      department  text not null references department (code),
      kind        text not null,
      title_zh    text not null,
      title_en    text not null,
      definition  jsonb not null,
      state       text not null default 'active' check (state in ('active', 'retired')),
      created_at  timestamptz(3) not null default now(),
      updated_at  timestamptz(3) not null default now()
    );
    create index source_department on source (department);

    create table dataset (
      code              text primary key,
      department        text not null references department (code),
      source            text not null references source (code),
      title_zh          text not null,
      title_en          text not null,
      definition        jsonb not null,
      sharing_class     text not null check (sharing_class in ('unconditional', 'conditional', 'not-shared')),
      contract_digest   text not null check (contract_digest ~ '^[0-9a-f]{64}$'),
      contract_version  text not null,
      search_text       text not null,
      epoch             bigint not null default 0 check (epoch >= 0),
      current_version   integer check (current_version >= 1),
      state             text not null default 'active' check (state in ('active', 'retired')),
      created_at        timestamptz(3) not null default now(),
      updated_at        timestamptz(3) not null default now()
    );
    create index dataset_department on dataset (department);
    create index dataset_source on dataset (source);
    comment on column dataset.epoch is 'raised by each run that begins; an older run is FENCED';
    comment on column dataset.current_version is 'moved by the commit of a run, in its transaction; null before the first';
    comment on column dataset.search_text is 'titles, abstract, keywords and item names, normalised and in lower case';

    create table contract (
      dataset     text not null references dataset (code),
      version     text not null check (version ~ '^[0-9]+[.][0-9]+[.][0-9]+$'),
      digest      text not null check (digest ~ '^[0-9a-f]{64}$'),
      document    json not null,
      created_at  timestamptz(3) not null default now(),
      primary key (dataset, version),
      unique (dataset, digest)
    );
    comment on table contract is 'every contract a dataset ever had: a version stays readable by the one it was checked against';
    comment on column contract.document is 'json, not jsonb: members keep the order that their author gave them';

    -- Deferred: a dataset and its first contract are inserted in one transaction, and each names the other.
    alter table dataset add constraint dataset_contract foreign key (code, contract_version)
      references contract (dataset, version) deferrable initially deferred;

    create table district_apply (
      sequence     bigint generated always as identity primary key,
      id           uuid not null unique,
      actor        text not null,
      district     text not null,
      plan_digest  text not null,
      plan         jsonb not null,
      definition   jsonb not null,
      policy       jsonb not null,
      applied_at   timestamptz(3) not null default now()
    );
    comment on table district_apply is 'one row for each apply that changed something; the newest one holds the district''s own definition and policy';
  `);
}
