/** Makes receipts; `verify/receipt.ts` checks them. */
import type { Appended } from './tenure.ts';
import { RECEIPT_FORMAT, type Receipt } from './verify/receipt.ts';

export function toReceipt({ entry, index, head, proof }: Appended): Receipt {
  return {
    format: RECEIPT_FORMAT,
    leaf: entry.toString(),
    index,
    head: head.note,
    proof: proof.map((hash) => hash.toString('base64')),
  };
}
