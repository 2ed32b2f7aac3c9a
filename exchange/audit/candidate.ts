/**
 * Standing for the office of sequencer. The database's advisory lock elects: it is free at once when its holder's process
 * dies. A holder that is stopped, or cut off without a word, keeps its session and so the lock; then its log has no
 * pulse any more, and a candidate ends that session. Whether it was right to do so does not matter for the log, because
 * the epoch fences whoever comes back.
 */
import { limits } from '../../lib/limits.ts';
import { connectSequencer, endSession, endSilentSession, type SequencerSession, tryElect } from './log-tables.ts';

export type Look =
  | { elected: SequencerSession; formerAddress: string | undefined }
  | { elected: undefined; address: string | undefined };

export class Candidate {
  readonly #url: string;
  readonly #silentMs: number;
  #session: SequencerSession | undefined;
  #pulse = '';
  #pulseSince = 0;

  constructor(url: string, silentMs: number = limits.auditTenureSilentMs) {
    this.#url = url;
    this.#silentMs = silentMs;
  }

  /** Elected, with the session that holds the lock and is the caller's from then on; or who holds it. */
  async look(): Promise<Look> {
    this.#session ??= await connectSequencer(this.#url);
    const session = this.#session;
    try {
      let election = await tryElect(session.client);
      if (!election.elected && this.#isSilent(election.pulse)) {
        await endSilentSession(session.client, election.pulse);
        election = await tryElect(session.client);
      }
      const address = election.address ?? undefined;
      if (!election.elected) return { elected: undefined, address };
      this.#session = undefined;
      return { elected: session, formerAddress: address };
    } catch (e: unknown) {
      await this.leave();
      throw e;
    }
  }

  async leave(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    if (session !== undefined) await endSession(session.client);
  }

  /** Measured by this process's own clock, between two looks of its own: clocks of two machines may differ. */
  #isSilent(pulse: string): boolean {
    const now = performance.now();
    if (pulse === this.#pulse && now - this.#pulseSince <= this.#silentMs) return false;
    const silent = pulse === this.#pulse;
    this.#pulse = pulse;
    this.#pulseSince = now;
    return silent;
  }
}
