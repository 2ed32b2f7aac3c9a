/** Every kind of source, by the name that a source's definition gives. A new connector is one folder and one line here. */
import { HuitongError } from '../lib/errors.ts';
import type { Connector } from './connector.ts';
import { dameng } from './dameng/index.ts';
import { deltaSharing } from './delta-sharing/index.ts';
import { files } from './files/index.ts';
import { http } from './http/index.ts';
import { huitong } from './huitong/index.ts';
import { mssql } from './mssql/index.ts';
import { mysql } from './mysql/index.ts';
import { oracle } from './oracle/index.ts';
import { postgres } from './postgres/index.ts';

const connectors = new Map<string, Connector>([
  [dameng.kind, dameng as Connector],
  [deltaSharing.kind, deltaSharing as Connector],
  [files.kind, files as Connector],
  [http.kind, http as Connector],
  [huitong.kind, huitong as Connector],
  [mssql.kind, mssql as Connector],
  [mysql.kind, mysql as Connector],
  [oracle.kind, oracle as Connector],
  [postgres.kind, postgres as Connector],
]);

/** Throws CONNECTOR_UNKNOWN. */
export function connectorOf(kind: string): Connector {
  const connector = connectors.get(kind);
  if (connector) return connector;
  throw new HuitongError('CONNECTOR_UNKNOWN', `no connector for sources of kind ${kind}`, {
    hint: `Kinds are: ${connectorKinds().join(', ')}.`,
  });
}

export function connectorKinds(): string[] {
  return [...connectors.keys()];
}
