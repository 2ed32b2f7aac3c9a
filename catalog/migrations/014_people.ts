/**
 * People who sign in (exchange/people/), and what service tokens gained: two live secrets, addresses.
 *
 * `department` refers to nothing, as in access_token. A session is an access_token of a person, whose roles and state
 * are read from the person's row at each call, so that a change of either holds at once.
 */
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table person (
      id                  uuid primary key,
      department          text not null,
      login               text not null check (login ~ '^[a-z0-9][a-z0-9._@-]{0,99}$'),
      name                text not null check (length(name) between 1 and 100),
      roles               text[] not null check (cardinality(roles) > 0),
      -- scrypt$<log2 N>$<r>$<p>$<salt>$<hash>; null: this person signs in with the issuer only
      password_hash       text,
      password_temporary  boolean not null default false,
      issuer              text,
      issuer_subject      text,
      failures            integer not null default 0,
      locked_until        timestamptz(3),
      created_at          timestamptz(3) not null default now(),
      disabled_at         timestamptz(3),
      check ((issuer is null) = (issuer_subject is null))
    );
    create unique index person_login on person (login);
    create unique index person_issuer on person (issuer, issuer_subject);

    alter table access_token
      add column person              uuid references person,
      add column addresses           text[],
      add column previous_hash       bytea check (length(previous_hash) = 32),
      add column previous_expires_at timestamptz(3),
      add check ((previous_hash is null) = (previous_expires_at is null));
    create index access_token_person on access_token (person) where person is not null;

    -- A sign-in that has gone to the issuer and not come back; each serves once.
    create table oidc_sign_in (
      state_hash    bytea primary key,
      verifier      text not null,
      nonce         text not null,
      redirect_uri  text not null,
      expires_at    timestamptz(3) not null
    );
  `);
}
