/** Which parties a principal is to a case: what their roles and department make of them, and nothing they say. */
import { type CaseParty, entryKinds } from '../../lib/pure/case-states.ts';
import type { Principal, Role } from '../access/rights.ts';
import type { CaseRow } from './cases.ts';

export function casePartiesOf(
  { roles, department }: Principal,
  row: Pick<CaseRow, 'kind' | 'department' | 'provider' | 'supervisor'>,
): CaseParty[] {
  const parties: CaseParty[] = [];
  const copies = row.kind === 'confirmation' || row.kind === 'destruction';
  const speakers: Role[] = entryKinds.includes(row.kind)
    ? ['engineer', 'sharing-officer']
    : ['officer', 'sharing-officer'];
  if (row.department === department && speakers.some((role) => roles.includes(role))) {
    parties.push(copies ? 'holder' : 'claimant');
  }
  if (row.provider === department && roles.includes('sharing-officer')) parties.push('provider');
  if (row.supervisor === department && roles.includes('supervisor')) parties.push('supervisor');
  return parties;
}
