/**
 * The log as its holder offers it. In one server of an exchange that is its own sequencer (`LocalLog`); in every other it
 * is that server, asked over a socket (`peers/remote-log.ts`). Nothing else knows which.
 */
import type { Appended } from './tenure.ts';
import type { SignedHead } from './verify/head.ts';

export interface HeldLog {
  /** Encoded leaves; neighbouring indexes, one commit. Throws AUDIT_UNAVAILABLE, AUDIT_REGRESSION, AUDIT_LEAF_INVALID. */
  append(entries: Buffer[]): Promise<Appended[]>;
  head(): Promise<SignedHead>;
  /** A leaf again, proved under the newest head. Throws NOT_FOUND. */
  prove(index: number): Promise<Appended>;
  /** Proof that the log of `newer` leaves begins with that of `older` (RFC 6962 section 2.1.2). Throws NOT_FOUND. */
  consistency(older: number, newer: number): Promise<Buffer[]>;
  /** Moves what is in the outbox now; resolves to how many leaves. */
  drainOutbox(): Promise<number>;
}
