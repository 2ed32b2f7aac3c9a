/** A conditional dataset, a policy, a department that asks, and short ways to act. */
import { randomUUID } from 'node:crypto';
import type { Catalog } from '../../../../catalog/database.ts';
import { currentPolicy } from '../../../../catalog/policy.ts';
import { advanceRequest } from '../../../../exchange/access/requests/advance.ts';
import { applyAction } from '../../../../exchange/access/requests/apply.ts';
import { createRequest } from '../../../../exchange/access/requests/create.ts';
import type { ActContent } from '../../../../exchange/access/requests/requests.ts';
import type { Publication } from '../../../../exchange/publication/publication.ts';
import type { Party } from '../../../../lib/pure/request-states.ts';
import type { RequestAction } from '../../../../lib/pure/request-transitions.ts';
import type { RequestTerms } from '../../../../schemas/generated/api.ts';
import type { PolicyDefinition } from '../../../../schemas/generated/policy.ts';
import type { RequestActMessage } from '../../../../workflows/messages.ts';
import { DATASET } from '../../publication/world.ts';

export const policy: PolicyDefinition = {
  version: '1.0.0',
  title: { zh: '规则', en: 'Rules' },
  basis: { zh: '待确认', en: 'To be confirmed' },
  timeZone: 'Asia/Shanghai',
  workingDays: {
    unconditionalAnswer: 1,
    conditionalAnswer: 10,
    conditionalExtension: 10,
    provision: 20,
    catalogUpdate: 10,
    catalogReview: 2,
    correctionAnswer: 10,
  },
  reminderShares: [0.5, 0.8],
  smallCellMin: 5,
};

/** Departments `education`, which asks, and `data`, which supervises; and this policy. */
export async function furnish(catalog: Catalog): Promise<void> {
  await catalog('department').insert([
    { code: 'education', name_zh: '教育局', name_en: 'Education', definition: {} },
    { code: 'data', name_zh: '数据局', name_en: 'Data Administration', definition: {} },
  ]);
  await applyPolicy(catalog, policy);
}

export async function applyPolicy(catalog: Catalog, changed: PolicyDefinition): Promise<void> {
  await catalog('district_apply').insert({
    ...{ id: randomUUID(), actor: 'test', district: 'longhua', plan_digest: '', plan: {} },
    ...{ definition: { code: 'longhua', supervisor: 'data' }, policy: changed },
  });
  if ((await currentPolicy(catalog)).version !== changed.version) throw new Error('the policy is not the newest');
}

export const person = (name: string) => `hmac-sha256:${Buffer.from(name).toString('hex').padEnd(64, '0')}`;

export const terms: RequestTerms = {
  dataset: DATASET,
  items: ['id', '姓名'],
  modes: ['bulk'],
  purpose: 'school-entry-check',
  matter: '入学接种查验',
  legalBasis: '疫苗管理法第四十八条',
  expires: '2036-01-01T00:00:00.000Z',
};

export function draft(publication: Publication, changes: Partial<RequestTerms> = {}): Promise<string> {
  const request = { terms: { ...terms, ...changes }, department: 'education', person: person('zhang') };
  return createRequest(publication, { ...request, actor: 'token:zhang' });
}

export interface Act extends ActContent {
  action: RequestAction;
  at?: string;
  id?: string;
  person?: string;
}

const departments: Record<Party, string | null> = {
  ...{ requester: 'education', 'sharing-officer': 'education' },
  ...{ provider: 'health', supervisor: 'data', system: null },
};

/** As one party: the requester is zhang, everybody else li unless told. Then the exchange's own steps. */
export async function act(
  publication: Publication,
  request: string,
  party: Party,
  { at = AT, id, person: who, ...content }: Act,
) {
  const name = party === 'system' ? null : person(who ?? (party === 'requester' ? 'zhang' : 'li'));
  await applyAction(publication, {
    ...content,
    ...{ request, id: id ?? randomUUID(), parties: [party], person: name, at },
    ...{ actor: party === 'system' ? 'system:requests' : 'token:li', department: departments[party] },
  });
  return advanceRequest(publication, { request, at });
}

/** A Thursday, ten working days before 2026-03-04: the Spring Festival lies between. */
export const AT = '2026-02-12T02:00:00.000Z';

export async function submitted(publication: Publication, changes: Partial<RequestTerms> = {}, at = AT) {
  const id = await draft(publication, changes);
  await act(publication, id, 'requester', { action: 'submit', at });
  const snapshot = await act(publication, id, 'sharing-officer', { action: 'endorse', at });
  return { id, snapshot };
}

/** What the API would send to the request's workflow for this party. */
export function messageOf(party: Party, { at: _, id, person: who, ...content }: Act): RequestActMessage {
  return {
    ...content,
    ...{ id: id ?? randomUUID(), parties: [party], person: person(who ?? (party === 'requester' ? 'zhang' : 'li')) },
    ...{ actor: 'token:test', department: departments[party] },
  };
}
