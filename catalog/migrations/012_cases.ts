/**
 * Cases: corrections, low ratings, and what holders of copies have to confirm (exchange/duties/), with every step and
 * the duties that their states put on somebody; ratings; and versions that were recalled.
 *
 * As with requests (007): a step's id is its sender's, a case has one open duty at most, persons appear as keyed hashes.
 */
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(CASES);
  await knex.raw(KINDS);
}

const CASES = `
  create table duty_case (
    id          uuid primary key,
    kind        text not null check (kind in ('correction', 'rating', 'confirmation', 'destruction')),
    cause       text not null,
    department  text not null,
    provider    text not null references department (code),
    supervisor  text not null,
    dataset     text not null references dataset (code),
    version     integer,
    state       text not null,
    sequence    integer not null default 0 check (sequence >= 0),
    claimants   text[] not null,
    tended_at   timestamptz(3),
    created_at  timestamptz(3) not null,
    updated_at  timestamptz(3) not null,
    unique (kind, cause, department)
  );
  create index duty_case_department on duty_case (department, id desc);
  create index duty_case_provider on duty_case (provider, id desc);
  create index duty_case_dataset on duty_case (dataset, id desc);
  create index duty_case_untended on duty_case (id) where tended_at is null;
  comment on column duty_case.cause is 'what it came from: itself, rating/<id>, recall/<dataset>/<version>, correction/<id>, grant/<id>; each causes one case a department';
  comment on column duty_case.department is 'who filed it, or who holds the copies';
  comment on column duty_case.claimants is 'keyed hashes of all who spoke for the department that filed it: none of them decides it';
  comment on column duty_case.tended_at is 'when its workflow was started; a case without one is found by the next pass';

  create table duty_case_event (
    "case"          uuid not null references duty_case (id),
    sequence        integer not null check (sequence >= 0),
    id              uuid not null unique,
    action          text not null,
    from_state      text,
    to_state        text not null,
    party           text not null,
    actor           text not null,
    person          text,
    department      text,
    reason          text,
    version         integer,
    policy_version  text,
    deadline        timestamptz(3),
    provisional     boolean,
    at              timestamptz(3) not null,
    recorded_at     timestamptz(3) not null default now(),
    primary key ("case", sequence)
  );

  create table duty_case_duty (
    "case"          uuid not null references duty_case (id),
    sequence        integer not null,
    duty            text not null,
    party           text not null,
    department      text not null,
    began_at        timestamptz(3) not null,
    counted_from    timestamptz(3) not null,
    deadline        timestamptz(3) not null,
    provisional     boolean not null,
    policy_version  text not null,
    reminders_due   timestamptz(3)[] not null,
    reminders_sent  integer not null default 0,
    overdue_at      timestamptz(3),
    ended_at        timestamptz(3),
    primary key ("case", sequence)
  );
  create unique index duty_case_duty_open on duty_case_duty ("case") where ended_at is null;
  create index duty_case_duty_department on duty_case_duty (department, deadline) where ended_at is null;
`;

const KINDS = `
  create table correction (
    "case"           uuid primary key references duty_case (id),
    item             text not null,
    key_hash         text not null check (key_hash ~ '^hmac-sha256:[0-9a-f]{64}$'),
    claim            bytea not null,
    checked_version  integer not null,
    fixed_version    integer,
    fix_shown        boolean
  );
  comment on column correction.key_hash is 'keyed hash of the row''s key, as in the leaves of look-ups';
  comment on column correction.claim is 'sealed: the key, and what the item should be; opened for the provider''s sharing officer, with a leaf';
  comment on column correction.checked_version is 'up to which version the row was compared';
  comment on column correction.fix_shown is 'the exchange has seen the row differ in fixed_version; false: the provider says so, with a reason';

  create table rating (
    id          uuid primary key,
    dataset     text not null,
    version     integer not null,
    "grant"     text not null,
    department  text not null,
    stars       smallint not null check (stars between 1 and 5),
    reasons     text not null,
    person      text not null,
    created_at  timestamptz(3) not null,
    unique (dataset, version, "grant", department),
    foreign key (dataset, version) references version (dataset, number)
  );
  comment on column rating."grant" is 'an explicit grant''s id, or implicit:unconditional';

  create table version_recall (
    dataset      text not null,
    version      integer not null,
    reason       text not null,
    actor        text not null,
    person       text not null,
    recalled_at  timestamptz(3) not null,
    primary key (dataset, version),
    foreign key (dataset, version) references version (dataset, number)
  );
  comment on table version_recall is 'not served any more, also where it is the current version: nothing takes its place silently';
`;
