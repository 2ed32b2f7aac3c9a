/** Answers to writes that carried an `Idempotency-Key` (server/idempotency.ts), kept for a day. */
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table idempotent_request (
      token       uuid not null,
      key         text not null check (length(key) between 1 and 255),
      digest      bytea not null,
      status      int,
      body        text,
      created_at  timestamptz(3) not null default now(),
      primary key (token, key)
    );
    comment on column idempotent_request.digest is 'SHA-256 of method, address and body: the key stands for one request';
    comment on column idempotent_request.status is 'null while the first request is at work';
    create index idempotent_request_created_at on idempotent_request (created_at);
  `);
}
