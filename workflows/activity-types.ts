/** The activities as workflows see them: types only. */
import type { createExchangeActivities } from '../activities/exchange/index.ts';
import type { CheckReport, SourceTable } from '../connectors/connector.ts';

export type ExchangeActivities = ReturnType<typeof createExchangeActivities>;

/** One source of a definition: secrets in `connection` are references, which the worker resolves. */
export interface SourceReference {
  code: string;
  kind: string;
  connection: Record<string, unknown>;
}

export interface ExtractResult {
  generation: number;
  reportDigest: string;
  rowsRead: number;
  rowsPublished: number;
  rowsQuarantined: number;
  parts: number;
}

export interface SourceActivities {
  /** Each attempt is a new generation. */
  extract(request: { runId: string }): Promise<ExtractResult>;
  checkSource(request: { source: SourceReference }): Promise<CheckReport>;
  /** A result must fit into a payload of Temporal: 2 MB. */
  discoverSource(request: { source: SourceReference }): Promise<SourceTable[]>;
}
