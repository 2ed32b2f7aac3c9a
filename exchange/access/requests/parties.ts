/** Which parties a principal is to a request: what their roles and department make of them, and nothing they say. */
import type { Party } from '../../../lib/pure/request-states.ts';
import type { Principal } from '../rights.ts';
import type { RequestRow } from './requests.ts';

export function partiesOf(
  { roles, department }: Principal,
  request: Pick<RequestRow, 'department' | 'provider' | 'supervisor'>,
): Party[] {
  const parties: Party[] = [];
  const asks = request.department === department;
  if (asks && roles.includes('officer')) parties.push('requester');
  if (asks && roles.includes('sharing-officer')) parties.push('sharing-officer');
  if (request.provider === department && roles.includes('sharing-officer')) parties.push('provider');
  if (request.supervisor === department && roles.includes('supervisor')) parties.push('supervisor');
  return parties;
}
