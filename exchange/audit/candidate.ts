/**
 * Standing for the office of sequencer. The database's advisory lock elects: it is free at once when its holder's process
 * dies. A holder that is stopped, or cut off without a word, keeps its session and so the lock; then its log has no
 * pulse any more, and a candidate ends that session. Whether it was right to do so does not matter for the log, because
 * the epoch fences whoever comes back.
 */
import { limits } from '../../lib/limits.ts';
import { connectSequencer, endSilentSession, type SequencerSession, tryElect } from './log-tables.ts';

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
      const { elected, address, pulse } = await tryElect(session.client);
      if (elected) {
        this.#session = undefined;
        return { elected: session, formerAddress: address ?? undefined };
      }
      await this.#watch(session, pulse);
      return { elected: undefined, address: address ?? undefined };
    } catch (e: unknown) {
      await this.leave();
      throw e;
    }
  }

  async leave(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    await session?.client.end().catch(() => {});
  }

  /** Measured by this process's own clock, between two looks of its own: clocks of two machines may differ. */
  async #watch(session: SequencerSession, pulse: string): Promise<void> {
    const now = performance.now();
    if (pulse !== this.#pulse) {
      this.#pulse = pulse;
      this.#pulseSince = now;
    } else if (now - this.#pulseSince > this.#silentMs) {
      this.#pulseSince = now;
      await endSilentSession(session.client, pulse);
    }
  }
}
