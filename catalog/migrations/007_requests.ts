/**
 * Requests, every step of each, and the duties that their states put on somebody (exchange/access/requests/).
 *
 * `request.sequence` is its newest step's; a step's id is its sender's, so that one that is sent twice happens once. A
 * request has one open duty at most. Persons appear as keyed hashes only.
 */
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table request (
      id             uuid primary key,
      department     text not null references department (code),
      dataset        text not null references dataset (code),
      provider       text not null references department (code),
      supervisor     text not null,
      state          text not null,
      sequence       integer not null default 0 check (sequence >= 0),
      sharing_class  text not null check (sharing_class in ('unconditional', 'conditional', 'not-shared')),
      requesters     text[] not null check (cardinality(requesters) > 0),
      info_asked     boolean not null default false,
      extension      text not null default 'none' check (extension in ('none', 'asked', 'given', 'denied')),
      asked_in       text,
      asked          jsonb not null,
      decision       jsonb,
      refusal        jsonb,
      "grant"        uuid references access_grant (id),
      created_at     timestamptz(3) not null,
      updated_at     timestamptz(3) not null,
      check ((state = 'NEEDS_INFO') = (asked_in is not null))
    );
    create index request_department on request (department, id desc);
    create index request_provider on request (provider, id desc);
    create index request_dataset on request (dataset, id desc);
    comment on column request.requesters is 'keyed hashes of all who drafted it or spoke for it: none of them decides it';
    comment on column request.asked is 'what the requester wants: schemas/api/request-terms.json';
    comment on column request.decision is 'what was approved: schemas/api/request-decision.json';

    create table request_event (
      request         uuid not null references request (id),
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
      basis           jsonb,
      detail          jsonb,
      policy_version  text,
      deadline        timestamptz(3),
      provisional     boolean,
      at              timestamptz(3) not null,
      recorded_at     timestamptz(3) not null default now(),
      primary key (request, sequence)
    );
    comment on column request_event.id is 'its sender''s: a step that arrives twice happens once';
    comment on column request_event.at is 'when it was done, by the clock of the request''s workflow';

    create table request_duty (
      request         uuid not null references request (id),
      sequence        integer not null,
      duty            text not null,
      party           text not null,
      department      text,
      began_at        timestamptz(3) not null,
      counted_from    timestamptz(3) not null,
      deadline        timestamptz(3) not null,
      provisional     boolean not null,
      policy_version  text not null,
      reminders_due   timestamptz(3)[] not null,
      reminders_sent  integer not null default 0,
      overdue_at      timestamptz(3),
      ended_at        timestamptz(3),
      primary key (request, sequence),
      foreign key (request, sequence) references request_event (request, sequence) deferrable initially deferred
    );
    create unique index request_duty_open on request_duty (request) where ended_at is null;
    create index request_duty_department on request_duty (department, deadline) where ended_at is null;
    comment on column request_duty.sequence is 'of the step that began it';
    comment on column request_duty.department is 'whose duty it is; null: the exchange''s own';
    comment on column request_duty.counted_from is 'the day after is the first that counts; an extension counts from the deadline before it';
  `);
}
