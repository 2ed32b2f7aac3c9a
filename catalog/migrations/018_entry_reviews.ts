/**
 * Catalog entries under review (exchange/duties/entries/): what was proposed, byte for byte, and by which case an entry
 * came to stand as it does. A dataset that is proposed need not exist yet, so a case no longer refers to one that does.
 */
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(REVIEWS);
}

const REVIEWS = `
  alter table duty_case drop constraint duty_case_dataset_fkey;
  alter table duty_case drop constraint duty_case_kind_check;
  alter table duty_case add constraint duty_case_kind_check check (kind in ('correction', 'rating', 'confirmation',
    'destruction', 'entry-publication', 'entry-revocation', 'entry-update'));
  create unique index duty_case_entry_review on duty_case (dataset)
    where state in ('ENTRY_DRAFT', 'PUBLISH_REVIEW', 'REVOKE_REVIEW');
  comment on column duty_case.dataset is 'of an entry-publication: perhaps not in the catalog yet';

  create table entry_proposal (
    "case"  uuid primary key references duty_case (id),
    files   json not null,
    base    text not null check (base ~ '^[0-9a-f]{64}$')
  );
  comment on column entry_proposal.files is 'the dataset''s file and its contract''s by path, as they were sent';
  comment on column entry_proposal.base is 'digest of the entry in force when it was proposed; another one by then is PLAN_STALE';

  alter table dataset drop constraint dataset_state_check;
  alter table dataset add constraint dataset_state_check check (state in ('active', 'retired', 'revoked'));
  alter table dataset add column review uuid references duty_case (id);
  comment on column dataset.review is 'the case by which the entry was published or revoked last; null: by an apply. What a review decided, no apply changes';

  create index run_drift on run (dataset, ended_at) where failure_code in
    ('SCHEMA_DRIFT', 'TABLE_NOT_FOUND', 'COLUMN_NOT_FOUND', 'TYPE_UNMAPPED', 'CONTRACT_MISMATCH');
`;
