/**
 * One server of an exchange as far as its audit log goes, in a process that a test may stop or kill. It is told over the
 * channel to append, and tells what came of it.
 */
import { openAuditLog } from '../../../../exchange/audit/audit-log.ts';
import { createFileHeadStore } from '../../../../exchange/audit/head-store.ts';
import { toReceipt } from '../../../../exchange/audit/receipt.ts';
import { createHeadSigner } from '../../../../exchange/audit/signer.ts';
import type { Receipt } from '../../../../exchange/audit/verify/receipt.ts';
import { toHuitongError } from '../../../../lib/errors.ts';
import { leaf } from '../support.ts';

export interface Settings {
  url: string;
  origin: string;
  privateKeyPem: string;
  headFile: string;
  beatMs: number;
  silentMs: number;
}

/** To append `leaves` leaves in one go. */
export interface Ask {
  id: number;
  leaves: number;
}

export type Told =
  | { kind: 'ready' }
  /** `holds`: whether this process holds the log now. */
  | { kind: 'done'; id: number; holds: boolean; receipts: Receipt[]; code?: string };

function tell(told: Told): void {
  process.send?.(told);
}

const { origin, privateKeyPem, headFile, ...settings } = JSON.parse(process.env.AUDIT_SERVER ?? '{}') as Settings;
const log = await openAuditLog({
  ...settings,
  signer: createHeadSigner({ origin, privateKeyPem }),
  headStore: createFileHeadStore(headFile),
});
process.on('message', ({ id, leaves }: Ask) => {
  const inputs = Array.from({ length: leaves }, (_, i) => leaf(id * 10 + i));
  log.appendMany(inputs).then(
    (appended) => tell({ kind: 'done', id, holds: log.isHolder(), receipts: appended.map(toReceipt) }),
    (e: unknown) => tell({ kind: 'done', id, holds: log.isHolder(), receipts: [], code: toHuitongError(e).code }),
  );
});
process.on('disconnect', () => void log.close().then(() => process.exit()));
tell({ kind: 'ready' });
