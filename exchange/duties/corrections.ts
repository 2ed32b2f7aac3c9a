/**
 * Corrections: filed by a department that may read the item, checked by the provider, mended in a version. The key and
 * the claim are personal data: sealed where they are kept, in no log, no message and no workflow's history.
 */
import { v7 as uuidv7 } from 'uuid';
import type { Catalog } from '../../catalog/database.ts';
import { getDataset } from '../../catalog/datasets.ts';
import { canonicalJson } from '../../lib/canonical-json.ts';
import { HuitongError, isHuitongError } from '../../lib/errors.ts';
import { BoxSealer, openBox } from '../../lib/sealed-box.ts';
import type { Dataset } from '../../schemas/generated/api.ts';
import { type Access, actorOf } from '../access/access.ts';
import { resolveGrant } from '../access/grants.ts';
import type { KeyDocument } from '../access/lookup/key.ts';
import type { Principal } from '../access/rights.ts';
import { keyedHash } from '../audit/leaf.ts';
import { lockLiving } from '../publication/retention.ts';
import { advanceCase } from './apply.ts';
import type { CaseRow, CorrectionRow } from './cases.ts';
import { requireCase, type Viewer } from './list.ts';
import { openCase } from './open.ts';
import { casePartiesOf } from './parties.ts';
import { type CellPlace, findCell, keyText } from './rows.ts';

/** What an item is said to be; as JSON shows it. */
export type ClaimedValue = string | number | boolean | null;

export interface FileCorrection {
  viewer: Viewer & { actor: string };
  dataset: string;
  version: number;
  key: KeyDocument;
  item: string;
  claim: ClaimedValue;
  reason: string;
  address: string;
  /** When: the provider's deadline counts from it. */
  at: Date;
  /** Raw X25519 public key, base64: what the key and the claim are sealed to. */
  sealTo: string;
}

interface SealedClaim {
  key: KeyDocument;
  claim: ClaimedValue;
}

/**
 * The new case's id. Whether the row exists is not told: filing finds out nothing that a look-up would not.
 * @throws NOT_FOUND, GRANT_NOT_USABLE, COLUMN_NOT_GRANTED where the item is not the caller's to read; VERSION_EXPIRED
 * @throws REQUEST_INVALID, ID_MUST_BE_STRING, LOOKUP_UNSUPPORTED for a key that is not the contract's
 */
export async function fileCorrection(access: Access, filed: FileCorrection): Promise<string> {
  const { catalog } = access.publication;
  const { viewer, key, item, version, reason, at } = filed;
  const dataset = await readersDataset(catalog, viewer.principal, filed);
  const place = { dataset: dataset.code, version, keyColumns: dataset.key, key };
  const text = await keyText(access.publication, place);
  const id = uuidv7();
  await catalog.transaction(async (transaction) => {
    await lockLiving(transaction, dataset.code, version);
    await openCase(transaction, {
      ...{ id, kind: 'correction', cause: `correction/${id}`, department: viewer.principal.department },
      ...{ provider: dataset.department, dataset: dataset.code, version, reason, at },
      ...{ person: viewer.person, actor: viewer.actor },
    });
    await transaction<CorrectionRow>('correction').insert({
      ...{ case: id, item, key_hash: keyedHash(access.subjectKey, text), checked_version: version },
      claim: seal(filed.sealTo, { key, claim: filed.claim }),
    });
    await advanceCase(transaction, { id, at: at.toISOString() });
  });
  return id;
}

export interface OpenedClaim {
  key: KeyDocument;
  claim: ClaimedValue;
  /** The item in the version that the correction names, as JSON text; null where it has no such row. */
  published: string | null;
}

/**
 * What is claimed, for the provider's sharing officer; the look is in the log before it is answered.
 * @throws NOT_FOUND for what is no business of the caller's, FORBIDDEN for anybody but the provider's officer
 */
export async function openClaim(access: Access, viewer: Viewer, id: string): Promise<OpenedClaim> {
  const { publication } = access;
  const row = await requireCorrection(publication.catalog, viewer.principal, id);
  if (!casePartiesOf(viewer.principal, row).includes('provider')) {
    throw new HuitongError('FORBIDDEN', '仅限提供部门共享专员 · only for the provider’s sharing officer');
  }
  const correction = await correctionOf(publication.catalog, id);
  await access.audit.append({
    ...actorOf(access, viewer.principal),
    ...{ action: 'correction.claim-opened', object: `case/${id}`, decision: 'allow', rule: 'provider' },
    keyHashes: [correction.key_hash],
  });
  const { key, claim } = unseal(access, correction);
  const published = await cellOrGone(access, await placeOf(access, row, correction));
  return { key, claim, published: typeof published === 'string' ? published : null };
}

/**
 * Whether the row differs, in the item, between the version that the correction names and this later one. A row that is
 * no longer there shows nothing: perhaps the change broke the contract, and the row lies in quarantine.
 * @throws REQUEST_INVALID for a version that is not later; NOT_FOUND for one that there is not
 */
export async function isMendedIn(access: Access, row: CaseRow, version: number): Promise<boolean> {
  const { publication } = access;
  if (version <= (row.version as number)) {
    throw new HuitongError('REQUEST_INVALID', '更正版本须晚于所指版本 · not a later version', { pointer: '/version' });
  }
  const correction = await correctionOf(publication.catalog, row.id);
  const place = await placeOf(access, row, correction);
  const later = await findCell(publication, { ...place, version });
  const before = await cellOrGone(access, place);
  return before !== GONE && later !== undefined && before !== later;
}

/** As `isMendedIn`; a version whose parts are gone, or that has another kind of key by now, shows nothing. */
export async function isSeenMended(access: Access, row: CaseRow, version: number): Promise<boolean> {
  try {
    return await isMendedIn(access, row, version);
  } catch (e: unknown) {
    const shownNothing = ['OBJECT_MISSING', 'VERSION_EXPIRED', 'LOOKUP_UNSUPPORTED'] as const;
    if (shownNothing.some((code) => isHuitongError(e, code))) return false;
    throw e;
  }
}

/**
 * The provider says in which version it is mended: the rows show it, or else a reason is needed.
 * @returns whether the rows show it
 * @throws REQUEST_INVALID with the pointer: no later version, or no reason; NOT_FOUND for a version that there is not
 */
export async function requireMended(
  access: Access,
  principal: Principal,
  act: { case: string; version?: number; reason?: string },
): Promise<boolean> {
  const row = await requireCorrection(access.publication.catalog, principal, act.case);
  // What else is wrong with the act, the machine says.
  if (row.state !== 'ACCEPTED' || act.version === undefined) return false;
  const shown = await isSeenMended(access, row, act.version);
  if (shown || (act.reason !== undefined && act.reason !== '')) return shown;
  throw new HuitongError(
    'REQUEST_INVALID',
    '该版本中此数据项没有变化，请说明理由 · the item is the same in that version: say why it counts as mended',
    { pointer: '/reason' },
  );
}

export async function correctionOf(catalog: Catalog, id: string): Promise<CorrectionRow> {
  const row = await catalog<CorrectionRow>('correction').where({ case: id }).first();
  if (row === undefined) throw new HuitongError('NOT_FOUND', '没有该更正 · there is no such correction', { at: id });
  return row;
}

const GONE = Symbol('the version was collected');

/** A version whose parts have been collected can no longer be compared: its cell is not known. */
async function cellOrGone(access: Access, place: CellPlace) {
  try {
    return await findCell(access.publication, place);
  } catch (e: unknown) {
    if (isHuitongError(e, 'OBJECT_MISSING') || isHuitongError(e, 'VERSION_EXPIRED')) return GONE;
    throw e;
  }
}

async function requireCorrection(catalog: Catalog, principal: Principal, id: string): Promise<CaseRow> {
  const row = await requireCase(catalog, principal, id);
  if (row.kind !== 'correction')
    throw new HuitongError('NOT_FOUND', '没有该更正 · there is no such correction', { at: id });
  return row;
}

/** The dataset, where a grant gives the item; what is absent and what no grant gives are one answer. */
async function readersDataset(catalog: Catalog, principal: Principal, filed: FileCorrection): Promise<Dataset> {
  try {
    const dataset = await getDataset(catalog, filed.dataset);
    await requireReader(catalog, principal, dataset, filed);
    return dataset;
  } catch (e: unknown) {
    if (!isHuitongError(e, 'NOT_FOUND')) throw e;
    throw new HuitongError(
      'NOT_FOUND',
      '您的授权中没有该数据集 · there is no such dataset that a grant of yours gives',
      { at: filed.dataset },
    );
  }
}

/** A grant of any mode that gives the item. */
async function requireReader(
  catalog: Catalog,
  principal: Principal,
  dataset: Dataset,
  { item, address }: FileCorrection,
): Promise<void> {
  const columns = [item];
  const query = { principal, dataset, columns, address };
  const grant = await resolveGrant(catalog, { ...query, mode: 'bulk' }).catch((e: unknown) => {
    if (!isHuitongError(e, 'NOT_FOUND') && !isHuitongError(e, 'GRANT_NOT_USABLE')) throw e;
    return resolveGrant(catalog, { ...query, mode: 'lookup' });
  });
  if (grant.columns !== null && !grant.columns.includes(item)) {
    throw new HuitongError('COLUMN_NOT_GRANTED', '您的授权中没有该数据项 · no grant of yours gives this item', {
      pointer: '/item',
    });
  }
  if (!dataset.items.some(({ name }) => name === item)) {
    throw new HuitongError('COLUMN_NOT_GRANTED', '您的授权中没有该数据项 · no grant of yours gives this item', {
      pointer: '/item',
    });
  }
}

/** Where the row is in the version that the correction names, by the key of the contract that holds now. */
async function placeOf(access: Access, row: CaseRow, correction: CorrectionRow): Promise<CellPlace> {
  const { dataset, version } = row;
  const { key: keyColumns } = await getDataset(access.publication.catalog, dataset);
  const { key } = unseal(access, correction);
  return { dataset, version: version as number, keyColumns, key, item: correction.item };
}

function seal(publicKey: string, claim: SealedClaim): Buffer {
  const sealer = new BoxSealer(publicKey);
  return Buffer.concat([sealer.start(), sealer.seal(Buffer.from(canonicalJson(claim))), sealer.end()]);
}

function unseal(access: Access, { claim }: CorrectionRow): SealedClaim {
  return JSON.parse(Buffer.concat([...openBox(access.quarantinePrivateKey, claim)]).toString());
}
