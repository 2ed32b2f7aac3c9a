/** A new case: its row, its first event, its duty, and its leaf, in the transaction of whatever causes it. */
import { v7 as uuidv7 } from 'uuid';
import type { Catalog } from '../../catalog/database.ts';
import { supervisingDepartment } from '../../catalog/policy.ts';
import { type CaseKind, type CaseParty, firstStates } from '../../lib/pure/case-states.ts';
import { addLeaf } from '../publication/outbox.ts';
import type { CaseRow } from './cases.ts';
import { caseDutyAfter } from './duty.ts';

export interface OpenCase {
  id?: string;
  kind: CaseKind;
  cause: string;
  /** Who files it, or holds the copies. */
  department: string;
  provider: string;
  dataset: string;
  version: number | null;
  /** Keyed hash of who files it; null where the exchange opens it. */
  person: string | null;
  actor: string;
  reason?: string;
  at: Date;
  /** The day that does not count yet towards its duty; default: `at`. */
  from?: Date;
}

/** The exchange as it stands in the log where a case opens or moves by itself. */
export const systemActor = 'system:cases';

/** Gives the case's id; undefined where the same cause has opened one for the department before. */
export async function openCase(transaction: Catalog, open: OpenCase): Promise<string | undefined> {
  const { id = uuidv7(), kind, cause, department, provider, dataset, version, person, actor, at } = open;
  const row: CaseRow = {
    ...{ id, kind, cause, department, provider, dataset, version, state: firstStates[kind], sequence: 0 },
    ...{ supervisor: await supervisingDepartment(transaction), claimants: person === null ? [] : [person] },
    ...{ tended_at: null, created_at: at, updated_at: at },
  };
  const inserted = await transaction('duty_case')
    .insert(row)
    .onConflict(['kind', 'cause', 'department'])
    .ignore()
    .returning('id');
  if (inserted.length === 0) return undefined;
  const duty = await caseDutyAfter(transaction, undefined, { row, at, from: open.from });
  const party: CaseParty = person === null ? 'system' : 'claimant';
  await transaction('duty_case_event').insert({
    ...{ case: id, sequence: 0, id: uuidv7(), action: 'open', from_state: null, to_state: row.state, party },
    ...{ actor, person, department: person === null ? null : department, reason: open.reason ?? null, version, at },
    deadline: duty?.deadline ?? null,
    provisional: duty?.provisional ?? null,
    policy_version: duty?.policy_version ?? null,
  });
  await addLeaf(transaction, {
    ...{ actor, action: `case.${kind}.open`, object: `case/${id}`, decision: 'allow', rule: party },
    ...(person === null ? {} : { subject: person, onBehalfOf: department }),
    detail: {
      ...{ cause, dataset, department, to: row.state },
      ...(version === null ? {} : { version }),
      ...(duty === undefined ? {} : { deadline: duty.deadline.toISOString(), policyVersion: duty.policy_version }),
    },
  });
  return id;
}
