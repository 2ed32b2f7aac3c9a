/** Two versions decided under one grant, the key that pairs their rows, and the parts that differ. */
import { getContract } from '../../../catalog/contracts.ts';
import { HuitongError } from '../../../lib/errors.ts';
import type { ManifestPart } from '../../../schemas/generated/manifest.ts';
import type { Access } from '../access.ts';
import { type Asked, type Decision, decide } from '../decision.ts';

export interface Pair {
  from: Decision;
  to: Decision;
}

/**
 * Another version under the grant of the first, whatever other grants there are by now.
 * @throws what `decide` throws; GRANT_NOT_USABLE where an implicit grant has given way to another in between
 */
export async function decideBeside(
  access: Access,
  asked: Omit<Asked, 'version' | 'columns'>,
  { to, version }: { to: Decision; version: number },
): Promise<Pair> {
  const grant = to.grant.epoch === null ? asked.grant : to.grant.id;
  const from = await decide(access, { ...asked, grant, version });
  if (from.grant.id === to.grant.id) return { from, to };
  throw new HuitongError(
    'GRANT_NOT_USABLE',
    '两个版本不在同一授权之下 · the two versions are not read under one grant',
    { at: asked.dataset },
  );
}

/**
 * The contract's key; null where the two versions have different ones: their rows cannot be paired.
 * @throws COLUMN_NOT_GRANTED where the grant does not show it. Masks other than keyed hashes make one key of several:
 * nothing could be told apart by it.
 */
export async function pairingKey(
  { publication: { catalog } }: Access,
  { from, to: { grant, version } }: Pair,
): Promise<string[] | null> {
  const [before, after] = await Promise.all(
    [from.version, version].map(({ dataset, contractVersion }) => getContract(catalog, dataset, contractVersion)),
  );
  const [was, key] = [keyIn(before!.document), keyIn(after!.document)];
  if (was.join('\0') !== key.join('\0')) return null;
  const hidden = key.find((name) => {
    const mask = grant.policy?.masks[name];
    return (grant.columns !== null && !grant.columns.includes(name)) || (mask && mask.mask !== 'keyed-hash');
  });
  if (hidden === undefined) return key;
  throw new HuitongError(
    'COLUMN_NOT_GRANTED',
    '版本按主键比对，而本授权不含主键 · versions are compared by their key, which this grant does not show',
    {
      at: version.dataset,
    },
  );
}

function keyIn(document: Record<string, unknown>): string[] {
  return document.key as string[];
}

/**
 * What each has of its own, and how many both have: such a part holds rows that are the same in both, and a key stands
 * in one part only.
 */
export function unsharedParts(before: ManifestPart[], after: ManifestPart[]) {
  const later = new Set(after.map(({ digest }) => digest));
  const shared = new Set(before.map(({ digest }) => digest).filter((digest) => later.has(digest)));
  const own = (parts: ManifestPart[]) => parts.filter(({ digest }) => !shared.has(digest));
  return { before: own(before), after: own(after), shared: shared.size };
}
