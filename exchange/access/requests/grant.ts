/** What a request's step does to its grant, in the step's own transaction. */
import { HuitongError, isHuitongError } from '../../../lib/errors.ts';
import type { Step } from '../../../lib/pure/request-machine.ts';
import { type Effect, transitions } from '../../../lib/pure/request-transitions.ts';
import type { Publication } from '../../publication/publication.ts';
import { type Actor, checkGrant, createGrant, resumeGrant, revokeGrant, suspendGrant } from '../explicit-grants.ts';
import type { ApplyAction, RequestRow } from './requests.ts';
import { grantTermsOf } from './terms.ts';

interface GrantStep {
  row: RequestRow;
  taken: Step;
  act: ApplyAction;
  at: Date;
}

/**
 * The row with the grant that the step made. A decision is tried on the contract at once: what could not be granted
 * cannot be approved.
 * @param publication whose catalog is the step's transaction
 * @throws POLICY_INVALID, ITEM_NOT_SHARED
 */
export async function withGrant(publication: Publication, { row, taken, act, at }: GrantStep): Promise<RequestRow> {
  const { decision } = row;
  if (act.decision !== undefined && decision !== null) await checkGrant(publication, grantTermsOf(row, decision, at));
  let { grant } = row;
  for (const effect of taken.effects) {
    if (effect === 'create-grant') {
      const terms = grantTermsOf(row, decision ?? {}, at);
      grant = (await createGrant(publication, { terms, request: row.id, actor: actorOf(act) })).id;
    } else {
      await changeGrant(publication, effect, grant, act);
    }
  }
  return { ...row, grant };
}

const changes = { 'suspend-grant': suspendGrant, 'resume-grant': resumeGrant, 'revoke-grant': revokeGrant };

async function changeGrant(
  { catalog }: Publication,
  effect: Exclude<Effect, 'create-grant'>,
  id: string | null,
  act: ApplyAction,
): Promise<void> {
  if (id === null) throw new HuitongError('INTERNAL', 'an active request without a grant', { at: act.request });
  const change = { id, actor: actorOf(act), reason: act.reason ?? transitions[act.action].zh };
  try {
    await changes[effect](catalog, change);
  } catch (e: unknown) {
    // It ran out by itself in the meantime: that is what ending it wants.
    if (effect === 'revoke-grant' && isHuitongError(e, 'GRANT_ENDED')) return;
    throw e;
  }
}

function actorOf({ actor, person, department }: ApplyAction): Actor {
  return {
    actor,
    ...(person === null ? {} : { subject: person }),
    ...(department === null ? {} : { onBehalfOf: department }),
  };
}
