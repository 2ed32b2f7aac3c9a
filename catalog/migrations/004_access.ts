/**
 * Bearer tokens (exchange/access/). Only a hash of a token is kept: who reads this table cannot use it.
 *
 * `department` refers to nothing: the first administrator's token is older than the first district.
 */
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table access_token (
      id          uuid primary key,
      department  text not null,
      subject     text not null check (length(subject) between 1 and 100),
      roles       text[] not null check (cardinality(roles) > 0),
      label       text,
      hash        bytea not null check (length(hash) = 32),
      created_at  timestamptz(3) not null default now(),
      expires_at  timestamptz(3),
      revoked_at  timestamptz(3)
    );
    create index access_token_department on access_token (department);
    comment on column access_token.hash is 'SHA-256 of the token''s 256 random bits: nothing to guess, so no slow hash is needed';
  `);
}
