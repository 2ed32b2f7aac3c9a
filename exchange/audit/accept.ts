/**
 * A person's decision about a database that is behind a head signed over it (FAULTS 25): the newer state is gone for
 * good, and the log goes on from where the backup ends. What was lost stands in the log from then on: the size and root
 * of the head that can no longer be proved.
 */
import { HuitongError } from '../../lib/errors.ts';
import type { HeadStore } from './head-store.ts';
import { encodeLeaf } from './leaf.ts';
import { connectSequencer, raiseEpoch, tryElect } from './log-tables.ts';
import { noteRefusal } from './refusal.ts';
import type { HeadSigner } from './signer.ts';
import { regressionOf, reload } from './tenure.ts';

export interface AcceptRestored {
  /** Leaves that the database holds now: whoever decides has looked. */
  size: number;
  /** Keyed hash of the person who decides. */
  subject: string;
  reason: string;
}

/**
 * No server may hold the log meanwhile; those that run are started again afterwards.
 * @returns the note of the head that is given up: to be kept with the decision
 * @throws REQUEST_INVALID where there is nothing to decide, or the size is another; AUDIT_CORRUPT, AUDIT_UNAVAILABLE
 */
export async function acceptRestoredLog(
  { url, signer, headStore }: { url: string; signer: HeadSigner; headStore: HeadStore },
  decision: AcceptRestored,
): Promise<string> {
  const { client } = await connectSequencer(url);
  try {
    const { elected, address } = await tryElect(client);
    if (!elected)
      throw new HuitongError('AUDIT_UNAVAILABLE', 'a server holds the audit log: there is nothing to decide');
    const state = await raiseEpoch(client, address ?? '');
    const regression = await regressionOf(client, state, await reload(client, state), { signer, headStore });
    if (regression === undefined) {
      throw new HuitongError('REQUEST_INVALID', 'the database holds all that was signed: there is nothing to decide');
    }
    if (decision.size !== state.size) {
      throw new HuitongError('REQUEST_INVALID', `the database holds ${state.size} leaves, not ${decision.size}`);
    }
    const { kept } = regression;
    const leaf = {
      actor: 'system:operator',
      subject: decision.subject,
      action: 'log.regression-accepted',
      object: `log/${signer.origin}`,
      decision: 'allow' as const,
      detail: { reason: decision.reason, size: state.size, lostSize: kept.size, lostRoot: kept.root.toString('hex') },
    };
    encodeLeaf(leaf);
    // Before the head is given up: the decision cannot be lost, at worst it is taken twice.
    await client.query('insert into audit_outbox (leaf) values ($1)', [JSON.stringify(leaf)]);
    await headStore.write(signer.sign({ size: state.size, root: state.root, time: new Date().toISOString() }).note);
    await noteRefusal(client, null);
    return kept.note;
  } finally {
    await client.end();
  }
}
