/**
 * Which grant a call is made under. The choice is kept for some seconds, because choosing reads the dataset and all of
 * a department's grants; that the chosen one still holds is asked in each call (gate.ts).
 */
import { hash } from 'node:crypto';
import { getDataset } from '../../../catalog/datasets.ts';
import { canonicalJson } from '../../../lib/canonical-json.ts';
import { HuitongError } from '../../../lib/errors.ts';
import { limits } from '../../../lib/limits.ts';
import type { Dataset } from '../../../schemas/generated/api.ts';
import type { Access } from '../access.ts';
import { type Grant, type GrantQuery, type Mode, resolveGrant } from '../grants.ts';
import { maskKeyOf } from '../policy/keyed-hash.ts';
import type { Policy } from '../policy/policy.ts';

export interface LookupScope extends Pick<GrantQuery, 'principal' | 'columns' | 'grant' | 'address'> {
  dataset: string;
  mode: Extract<Mode, 'lookup' | 'verify'>;
  purpose: string;
}

export interface Decided {
  dataset: Dataset;
  grant: Grant;
  /** Of the columns asked for; of a grant of plain columns, one that changes nothing. */
  policy: Policy;
  maskKey: Uint8Array | null;
}

interface Kept {
  decided: Promise<Decided>;
  until: number;
}

export class Decisions {
  readonly #access: Access;
  readonly #kept = new Map<string, Kept>();

  constructor(access: Access) {
    this.#access = access;
  }

  /** @throws NOT_FOUND, GRANT_NOT_USABLE, PURPOSE_SCOPE, COLUMN_NOT_GRANTED */
  of(scope: LookupScope): Promise<Decided> {
    const kept = this.#kept.get(nameOf(scope));
    return kept !== undefined && kept.until > Date.now() ? kept.decided : this.afresh(scope);
  }

  afresh(scope: LookupScope): Promise<Decided> {
    const decided = decide(this.#access, scope);
    if (this.#kept.size >= limits.lookupDecisionsMax) this.#kept.clear();
    const name = nameOf(scope);
    this.#kept.set(name, { decided, until: Date.now() + limits.lookupDecisionMs });
    // A refusal is not kept: it is decided, and told, anew.
    decided.catch(() => this.#kept.delete(name));
    return decided;
  }
}

/** Everything that a choice depends on; that the caller's roles allow it at all is judged in each call. */
function nameOf({ principal, dataset, mode, purpose, grant, address, columns }: LookupScope): string {
  return JSON.stringify([principal.department, principal.roles, dataset, mode, purpose, grant, address, columns]);
}

async function decide({ publication, subjectKey }: Access, scope: LookupScope): Promise<Decided> {
  const dataset = await getDataset(publication.catalog, scope.dataset);
  const grant = await resolveGrant(publication.catalog, { ...scope, dataset });
  if (grant.purpose !== scope.purpose) {
    throw new HuitongError('PURPOSE_SCOPE', '该授权用于其他用途 · the grant is for another purpose', {
      at: grant.id,
      pointer: '/purpose',
    });
  }
  const policy = narrowed(grant, scope.columns);
  return {
    dataset,
    grant,
    policy,
    maskKey: policy.hashedFor === null ? null : maskKeyOf(subjectKey, policy.hashedFor),
  };
}

function narrowed(grant: Grant, columns: string[] | undefined): Policy {
  const given = grant.columns ?? [];
  const unknown = columns?.find((name) => !given.includes(name));
  if (unknown !== undefined) {
    throw new HuitongError('COLUMN_NOT_GRANTED', '所请求的列不存在 · a column that is asked for is not there', {
      pointer: '/columns',
    });
  }
  const items = [...(columns ?? given)].sort();
  const whole: Omit<Policy, 'digest'> = grant.policy ?? { items, masks: {}, rowFilter: null, hashedFor: null };
  const digest = hash('sha256', canonicalJson({ items, policy: grant.policy?.digest ?? null }), 'hex');
  return { ...whole, items, digest };
}
