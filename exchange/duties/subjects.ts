/**
 * Who looked at a person's record: from the leaves of look-ups, which carry keyed hashes of the keys. Reads of whole
 * versions name nobody; which departments may do those of datasets that are looked up by this key is told beside it.
 */
import type { Catalog } from '../../catalog/database.ts';
import { limits } from '../../lib/limits.ts';
import type { SubjectAccess } from '../../schemas/generated/api.ts';
import type { AuditLeaf } from '../../schemas/generated/audit-leaf.ts';
import type { GrantTerms } from '../../schemas/generated/grant-terms.ts';
import { type Access, actorOf } from '../access/access.ts';
import type { Principal } from '../access/rights.ts';
import { keyedHash } from '../audit/leaf.ts';
import { projectLog } from './projections.ts';

export interface SubjectQuery {
  principal: Principal;
  /** The person's ID, as it is a key of datasets. */
  id: string;
}

/**
 * Newest look-ups first, at most `limits.subjectLookupsMax`. The look is itself in the log before it is answered.
 * @throws AUDIT_UNAVAILABLE: then nothing is told
 */
export async function subjectAccess(access: Access, { principal, id }: SubjectQuery): Promise<SubjectAccess> {
  const { catalog } = access.publication;
  const hash = keyedHash(access.subjectKey, id);
  await projectLog(catalog);
  const { rows } = await catalog.raw<{ rows: { index: number; leaf: AuditLeaf }[] }>(LOOKUPS, {
    hash: hash.slice(hash.indexOf(':') + 1),
    most: limits.subjectLookupsMax,
  });
  await access.audit.append({
    ...actorOf(access, principal),
    ...{ action: 'subject.access', object: 'subject', decision: 'allow', rows: rows.length, keyHashes: [hash] },
  });
  const lookups = rows.map(({ index, leaf }) => toLookup(index, leaf));
  return { lookups, bulkGrants: await bulkGrants(catalog, [...new Set(lookups.map(({ dataset }) => dataset))]) };
}

const LOOKUPS = `
  select subject_access.index::float8 as index, convert_from(entry, 'UTF8')::jsonb as leaf
  from subject_access join log_entry on log_entry.index = subject_access.index
  where subject_hash = decode(:hash, 'hex')
  order by subject_access.index desc limit :most`;

/** Without hashes of other people's keys, and without who the officer is: the department answers for that. */
function toLookup(index: number, leaf: AuditLeaf): SubjectAccess['lookups'][number] {
  const { time, action, onBehalfOf, purpose, matter, grant, decision, columns } = leaf;
  return {
    ...{ index, time, action, decision, dataset: /^dataset\/([^/]+)/.exec(leaf.object)?.[1] ?? '' },
    ...(onBehalfOf === undefined ? {} : { department: onBehalfOf }),
    ...(purpose === undefined ? {} : { purpose }),
    ...(matter === undefined ? {} : { matter }),
    ...(grant === undefined ? {} : { grant }),
    ...(columns === undefined ? {} : { columns }),
  };
}

interface BulkGrant {
  id: string;
  grantee: string;
  dataset: string;
  terms: GrantTerms;
}

/**
 * Active now, for the bulk of datasets that know people by their resident ID, or in which the person was looked up.
 * Whether the person's row is among those read, nobody wrote down.
 */
async function bulkGrants(catalog: Catalog, lookedUp: string[]): Promise<SubjectAccess['bulkGrants']> {
  const { rows } = await catalog.raw<{ rows: BulkGrant[] }>(BULK_GRANTS, { lookedUp, most: limits.pageRowsMax });
  return rows.map(({ id, grantee, dataset, terms }) => ({
    ...{ grant: id, department: grantee, dataset, purpose: terms.purpose, legalBasis: terms.legalBasis },
    ...(terms.matter === undefined ? {} : { matter: terms.matter }),
  }));
}

const BULK_GRANTS = `
  select access_grant.id, grantee, access_grant.dataset, terms
  from access_grant
  join dataset on dataset.code = access_grant.dataset
  join contract on contract.dataset = dataset.code and contract.version = dataset.contract_version
  where access_grant.state = 'active' and expires_at > now() and jsonb_exists_any(terms->'modes', array['bulk', 'changes'])
    and (
      dataset.code = any(:lookedUp::text[])
      or exists (
        select from json_each(contract.document->'properties') as property
        where property.value->>'format' = 'resident-id'
      )
    )
  order by access_grant.id desc limit :most`;

/** Forgets what is older than it is kept. The leaves stay: they are the log. Gives how many were forgotten. */
export async function forgetSubjectAccess(catalog: Catalog, now: Date): Promise<number> {
  const before = new Date(now.getTime() - limits.subjectAccessKeptMs);
  return catalog('subject_access').where('at', '<', before).delete();
}
