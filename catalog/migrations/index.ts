/**
 * The catalog's migrations, in order. A released migration is never edited: add the next number, list it here, and run
 * `npm run catalog:dump`, so that `catalog/schema.sql` shows the result.
 */
import type { Knex } from 'knex';
import { HuitongError } from '../../lib/errors.ts';
import * as catalog from './001_catalog.ts';
import * as publication from './002_publication.ts';
import * as audit from './003_audit.ts';
import * as access from './004_access.ts';
import * as idempotency from './005_idempotency.ts';
import * as grants from './006_grants.ts';
import * as requests from './007_requests.ts';
import * as extractAttempt from './008_extract_attempt.ts';
import * as uploads from './009_uploads.ts';
import * as increments from './010_increments.ts';
import * as lookupIndex from './011_lookup_index.ts';
import * as cases from './012_cases.ts';
import * as logProjections from './013_log_projections.ts';
import * as people from './014_people.ts';
import * as sourceLimits from './015_source_limits.ts';
import * as logAddress from './016_log_address.ts';
import * as retention from './017_retention.ts';
import * as entryReviews from './018_entry_reviews.ts';
import * as partTags from './019_part_tags.ts';
import * as logRefusal from './025_log_refusal.ts';

interface NamedMigration {
  name: string;
  migration: { up(knex: Knex): Promise<void> };
}

const migrations: NamedMigration[] = [
  { name: '001_catalog', migration: catalog },
  { name: '002_publication', migration: publication },
  { name: '003_audit', migration: audit },
  { name: '004_access', migration: access },
  { name: '005_idempotency', migration: idempotency },
  { name: '006_grants', migration: grants },
  { name: '007_requests', migration: requests },
  { name: '008_extract_attempt', migration: extractAttempt },
  { name: '009_uploads', migration: uploads },
  { name: '010_increments', migration: increments },
  { name: '011_lookup_index', migration: lookupIndex },
  { name: '012_cases', migration: cases },
  { name: '013_log_projections', migration: logProjections },
  { name: '014_people', migration: people },
  { name: '015_source_limits', migration: sourceLimits },
  { name: '016_log_address', migration: logAddress },
  { name: '017_retention', migration: retention },
  { name: '018_entry_reviews', migration: entryReviews },
  { name: '019_part_tags', migration: partTags },
  { name: '025_log_refusal', migration: logRefusal },
];

/** Listed by hand rather than read from the folder: what runs is what was compiled and reviewed. */
export const migrationSource: Knex.MigrationSource<NamedMigration> = {
  getMigrations: async () => migrations,
  getMigrationName: ({ name }) => name,
  getMigration: async ({ migration }) => ({ up: migration.up, down: refuseDown }),
};

/** knex demands a way back. There is none: the log and published versions are never undone. */
async function refuseDown(): Promise<never> {
  throw new HuitongError('INTERNAL', 'the catalog’s migrations only go forward', {
    hint: 'Add a migration that makes the change, or restore a backup.',
  });
}
