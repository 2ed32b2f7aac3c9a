/** Ratings: one to five, with reasons, by who has read a version, once for each grant. A low one wants an answer. */
import { v7 as uuidv7 } from 'uuid';
import type { Catalog } from '../../catalog/database.ts';
import { getDataset } from '../../catalog/datasets.ts';
import { decodeCursor, type Page, pageOf } from '../../lib/cursor.ts';
import { HuitongError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import type { Dataset, Rating } from '../../schemas/generated/api.ts';
import { getGrant } from '../access/explicit-grants.ts';
import { listingLimit, type Principal } from '../access/rights.ts';
import { addLeaf } from '../publication/outbox.ts';
import type { Publication } from '../publication/publication.ts';
import { lockLiving } from '../publication/retention.ts';
import { resolveVersion } from '../publication/versions.ts';
import type { Viewer } from './list.ts';
import { openCase } from './open.ts';
import { projectLog } from './projections.ts';

export interface GiveRating {
  viewer: Viewer & { actor: string };
  dataset: string;
  version: number;
  /** An explicit grant's id; absent: what is shared unconditionally. */
  grant?: string;
  stars: number;
  reasons: string;
}

interface RatingRow {
  id: string;
  dataset: string;
  version: number;
  grant: string;
  department: string;
  stars: number;
  reasons: string;
  person: string;
  created_at: Date;
}

const UNCONDITIONAL = 'implicit:unconditional';

/**
 * @throws NOT_FOUND for what is absent or not the caller's; CASE_RULE for one's own dataset, and for a version that the
 * department has not read; RATING_GIVEN; VERSION_EXPIRED: nobody can use it any more
 */
export async function giveRating(publication: Publication, given: GiveRating): Promise<Rating> {
  const { catalog } = publication;
  const { person, actor, principal } = given.viewer;
  const dataset = await getDataset(catalog, given.dataset);
  const { number: version } = await resolveVersion(publication, dataset.code, given.version);
  await requireRater(catalog, principal, dataset, { ...given, version });
  const { stars, reasons } = given;
  const { department } = principal;
  const at = new Date();
  const row: RatingRow = {
    ...{ id: uuidv7(), dataset: dataset.code, version, grant: given.grant ?? UNCONDITIONAL, department },
    ...{ stars, reasons, person, created_at: at },
  };
  return catalog.transaction(async (transaction) => {
    await lockLiving(transaction, dataset.code, version);
    const inserted = await transaction('rating').insert(row).onConflict().ignore().returning('id');
    if (inserted.length === 0) {
      throw new HuitongError('RATING_GIVEN', '本授权已对该版本作出评价 · this grant has rated this version already');
    }
    await addLeaf(transaction, {
      ...{ actor, subject: person, onBehalfOf: department, action: 'rating.give', object: `rating/${row.id}` },
      ...{ grant: row.grant, decision: 'allow', rule: 'claimant' },
      detail: { dataset: dataset.code, version, stars },
    });
    if (stars <= limits.lowRatingMax) {
      await openCase(transaction, {
        ...{ kind: 'rating', cause: `rating/${row.id}`, department, provider: dataset.department },
        ...{ dataset: dataset.code, version, person, actor, reason: reasons, at },
      });
    }
    const [listed] = await ratings(transaction).where('rating.id', row.id);
    return toRating(listed as ListedRating);
  });
}

/** Newest first; given by or to the viewer's department, or all where the role sees all. */
export async function listRatings(
  catalog: Catalog,
  principal: Principal,
  asked: { dataset?: string; limit?: number; cursor?: string } = {},
): Promise<Page<Rating>> {
  const limit = Math.min(asked.limit ?? limits.pageRowsDefault, limits.pageRowsMax);
  const query = ratings(catalog)
    .orderBy('rating.id', 'desc')
    .limit(limit + 1);
  const own = listingLimit(principal, 'rating.read');
  if (own !== undefined) {
    query.where((either) => either.where('rating.department', own).orWhere('dataset.department', own));
  }
  if (asked.dataset !== undefined) query.where('rating.dataset', asked.dataset);
  if (asked.cursor !== undefined) query.where('rating.id', '<', decodeCursor(asked.cursor, 'uuid')[0]);
  return pageOf(await query, limit, ({ id }) => [id], toRating);
}

/** Over all versions; null where nobody has rated it. */
export async function averageRating(
  catalog: Catalog,
  dataset: string,
): Promise<{ average: number; count: number } | null> {
  const [row] = await catalog('rating')
    .where({ dataset })
    .select<{ average: number; count: number }[]>(
      catalog.raw('round(avg(stars), 2)::float8 as average'),
      catalog.raw('count(*)::int as count'),
    );
  return row === undefined || row.count === 0 ? null : row;
}

interface ListedRating extends RatingRow {
  case: string | null;
  answer: string | null;
}

/** With the case that a low one has opened, and its answer. */
function ratings(catalog: Catalog) {
  return catalog('rating')
    .join('dataset', 'dataset.code', 'rating.dataset')
    .leftJoin('duty_case', (join) => {
      join
        .on('duty_case.kind', catalog.raw('?', ['rating']))
        .andOn('duty_case.cause', catalog.raw(`'rating/' || rating.id`));
    })
    .leftJoin('duty_case_event as answer', (join) => {
      join.on('answer.case', 'duty_case.id').andOn('answer.action', catalog.raw('?', ['answer']));
    })
    .select<ListedRating[]>('rating.*', 'duty_case.id as case', 'answer.reason as answer');
}

function toRating(row: ListedRating): Rating {
  const { id, dataset, version, grant, department, stars, reasons } = row;
  const createdAt = row.created_at.toISOString();
  return { id, dataset, version, grant, department, stars, reasons, case: row.case, answer: row.answer, createdAt };
}

async function requireRater(
  catalog: Catalog,
  { department }: Principal,
  dataset: Dataset,
  { grant, version }: GiveRating,
): Promise<void> {
  if (dataset.department === department) {
    throw new HuitongError('CASE_RULE', '不评价本部门数据 · a department does not rate its own data');
  }
  if (grant !== undefined) {
    const { terms } = await getGrant(catalog, grant);
    if (terms.grantee !== department || terms.dataset !== dataset.code) {
      throw new HuitongError('NOT_FOUND', '没有授权 · there is no grant', { at: grant });
    }
  }
  await projectLog(catalog);
  const read = await catalog('dataset_reader').where({ dataset: dataset.code, version, department }).first();
  if (read === undefined) {
    throw new HuitongError('CASE_RULE', '未读取过该版本，不能评价 · only who has read a version rates it');
  }
}
