/**
 * Explicit grants, what has been used of their quotas, and the projections that were made for them (exchange/access/).
 *
 * A grant's terms never change: a trigger refuses it. `state` and `epoch` do: whoever reads under an older epoch is
 * stopped (DESIGN.md, decision 10).
 */
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(GRANTS);
  await knex.raw(IMMUTABLE);
  await knex.raw(PROJECTIONS);
}

const GRANTS = `
  create table access_grant (
    id             uuid primary key,
    grantee        text not null,
    dataset        text not null references dataset (code),
    provider       text not null,
    terms          jsonb not null,
    policy_digest  text check (policy_digest ~ '^[0-9a-f]{64}$'),
    not_before     timestamptz(3) not null,
    expires_at     timestamptz(3) not null,
    request        text,
    state          text not null default 'active' check (state in ('active', 'suspended', 'revoked', 'expired')),
    epoch          integer not null default 1 check (epoch >= 1),
    reason         text,
    created_by     text not null,
    created_at     timestamptz(3) not null default now(),
    changed_at     timestamptz(3) not null default now(),
    check (not_before < expires_at)
  );
  create index access_grant_usable on access_grant (grantee, dataset) where state = 'active';
  create index access_grant_dataset on access_grant (dataset, id desc);
  create index access_grant_grantee on access_grant (grantee, id desc);
  create index access_grant_policy on access_grant (policy_digest) where state in ('active', 'suspended');
  create index access_grant_ending on access_grant (expires_at) where state in ('active', 'suspended');
  comment on column access_grant.terms is 'schemas/document/grant-terms.json; immutable';
  comment on column access_grant.policy_digest is 'names what masks and row filter make of a version; null where columns are given as they are';
  comment on column access_grant.epoch is 'raised with every change of state: a stream that began under an older one ends';
  comment on column access_grant.request is 'the request that it answers';

  create table grant_usage (
    "grant"  uuid not null references access_grant (id),
    mode     text not null,
    day      date not null,
    used     bigint not null check (used >= 0),
    primary key ("grant", mode, day)
  );
  comment on column grant_usage.day is 'in Asia/Shanghai';
`;

const IMMUTABLE = `
  create function access_grant_is_immutable() returns trigger language plpgsql as $$
  begin
    if (old.id, old.grantee, old.dataset, old.provider, old.terms, old.policy_digest, old.not_before, old.expires_at,
        old.request, old.created_by, old.created_at)
      is distinct from (new.id, new.grantee, new.dataset, new.provider, new.terms, new.policy_digest, new.not_before,
        new.expires_at, new.request, new.created_by, new.created_at)
    then
      raise exception 'the terms of a grant never change: make a new grant';
    end if;
    if old.state in ('revoked', 'expired') and new.state <> old.state then
      raise exception 'a grant that has ended stays ended';
    end if;
    return new;
  end $$;
  create trigger access_grant_immutable before update on access_grant
    for each row execute function access_grant_is_immutable();
`;

const PROJECTIONS = `
  create table projection (
    key              text primary key check (key ~ '^[0-9a-f]{64}$'),
    manifest_digest  text not null,
    policy_digest    text,
    format           text not null check (format in ('arrow', 'parquet')),
    arrow_schema     text not null,
    rows             bigint not null check (rows >= 0),
    built_at         timestamptz(3) not null default now(),
    used_at          timestamptz(3) not null default now()
  );
  create index projection_used on projection (used_at);
  create index projection_policy on projection (policy_digest);
  comment on table projection is 'a version as a policy shows it, or in another format: derived, and made again when it is gone';
  comment on column projection.key is 'SHA-256 over version manifest, policy, columns and format';

  create table projection_part (
    projection  text not null references projection (key) on delete cascade,
    position    integer not null,
    digest      text not null check (digest ~ '^[0-9a-f]{64}$'),
    size_bytes  bigint not null,
    rows        bigint not null,
    primary key (projection, position)
  );
  create index projection_part_digest on projection_part (digest);

  create table projection_build (
    key         text primary key,
    builder     uuid not null,
    expires_at  timestamptz(3) not null
  );
  comment on table projection_build is 'who is making a projection now; the lease runs out where the process died';
`;
