/** A new request: a draft, and its first event. */
import { v7 as uuidv7 } from 'uuid';
import { supervisingDepartment } from '../../../catalog/policy.ts';
import type { RequestTerms } from '../../../schemas/generated/api.ts';
import { addLeaf } from '../../publication/outbox.ts';
import type { Publication } from '../../publication/publication.ts';
import type { RequestRow } from './requests.ts';
import { checkAsked } from './terms.ts';

export interface CreateRequest {
  terms: RequestTerms;
  /** The requesting department. */
  department: string;
  /** Keyed hash of the officer who drafts it. */
  person: string;
  actor: string;
}

/** The draft's id. Throws NOT_FOUND for an unknown dataset, REQUEST_INVALID for what does not fit it. */
export async function createRequest({ catalog }: Publication, create: CreateRequest): Promise<string> {
  const { terms, department, person, actor } = create;
  const id = uuidv7();
  const at = new Date();
  await catalog.transaction(async (transaction) => {
    const { dataset, sharingClass } = await checkAsked(transaction, terms, department, at);
    await transaction<RequestRow>('request').insert({
      id,
      department,
      dataset: dataset.code,
      provider: dataset.department,
      supervisor: await supervisingDepartment(transaction),
      state: 'DRAFT',
      sharing_class: sharingClass,
      requesters: [person],
      asked: terms,
      created_at: at,
      updated_at: at,
    });
    await transaction('request_event').insert({
      ...{ request: id, sequence: 0, id: uuidv7(), action: 'create', from_state: null, to_state: 'DRAFT' },
      ...{ party: 'requester', actor, person, department, at },
    });
    await addLeaf(transaction, {
      ...{ actor, subject: person, onBehalfOf: department, action: 'request.create', object: `request/${id}` },
      ...{ purpose: terms.purpose, decision: 'allow', rule: 'requester' },
      ...(terms.matter === undefined ? {} : { matter: terms.matter }),
      detail: { dataset: dataset.code, to: 'DRAFT' },
    });
  });
  return id;
}
