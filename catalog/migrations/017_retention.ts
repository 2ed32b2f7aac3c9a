/**
 * Retention (exchange/publication/expire.ts, decision 0230): when a version expired and by which rule, and versions that
 * are kept beyond it. The row of an expired version stays: its number, counts, contract and manifest digest.
 */
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table version
      add column expired_at timestamptz(3),
      add column expired_by jsonb,
      add check ((expired_at is null) = (expired_by is null));
    create index version_living on version (dataset, number) where expired_at is null;
    create index version_expired on version (manifest_digest) where expired_at is not null;
    create index projection_manifest on projection (manifest_digest);
    comment on table version is 'immutable but for its expiry; exists when its row does, which stays when its objects are gone';
    comment on column version.expired_by is 'the rule that held then: versionsMin, versionDays';

    create table version_hold (
      dataset    text not null,
      version    integer not null,
      until      timestamptz(3) not null,
      reason     text not null,
      actor      text not null,
      placed_at  timestamptz(3) not null,
      primary key (dataset, version),
      foreign key (dataset, version) references version (dataset, number)
    );
    comment on table version_hold is 'a version that does not expire before a time, whatever the rule; what was held before, the audit log tells';
  `);
}
