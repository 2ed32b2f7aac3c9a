/** A source whose log of changes is written in its configuration: it tells what a real one would, in every thread alike. */
import { appendFileSync } from 'node:fs';
import {
  type CaptureLag,
  type ChangeBatch,
  type Connector,
  changeOperations,
  type Snapshot,
} from '../../../connectors/connector.ts';
import { batchOf, schema } from './memory.ts';

export type Change = [operation: keyof typeof changeOperations, id: number, name?: string | null];

export interface ScriptedConfig {
  /** Transactions, in the order of their commits; positions count them. */
  transactions: Change[][];
  /** Of `lag`. */
  lag?: CaptureLag;
  /** Lines of what was called. */
  log: string;
}

interface ScriptedSnapshot extends Snapshot {
  rows: { id: number; name: string | null }[];
}

/** The table after so many transactions. */
export function stateAfter(transactions: Change[][]): Map<number, string | null> {
  const rows = new Map<number, string | null>();
  for (const [operation, id, name = null] of transactions.flat()) {
    if (operation === 'truncate') rows.clear();
    else if (operation === 'delete') rows.delete(id);
    else rows.set(id, name);
  }
  return rows;
}

function snapshotOf({ transactions }: ScriptedConfig): ScriptedSnapshot {
  return {
    rows: [...stateAfter(transactions)].map(([id, name]) => ({ id, name })),
    guarantee: 'snapshot',
    openedAt: new Date(0),
    controlTotals: async () => ({ rows: stateAfter(transactions).size, sums: {} }),
    assertAlive: async () => {},
    close: async () => {},
  };
}

function note({ log }: ScriptedConfig, line: string): void {
  appendFileSync(log, `${line}\n`);
}

/** Its partitions are the rows themselves. */
export const scripted: Connector<ScriptedConfig, ScriptedSnapshot, ScriptedSnapshot['rows']> = {
  kind: 'scripted',
  title: { zh: '剧本', en: 'Scripted' },
  configSchema: { type: 'object' },
  capabilities: { snapshot: 'exported', partitioning: false, cursor: false, changeCapture: true },
  check: async () => ({ ok: true, steps: [] }),
  discover: async () => [],
  openSnapshot: async (config) => snapshotOf(config),
  plan: async ({ rows }) => ({
    table: { name: 'people' },
    columns: schema.fields.map(({ name }) => ({ name, sourceType: 'made up', nullable: true })),
    partitions: [rows],
    guarantee: 'snapshot',
    description: {},
    uniqueKeys: [['id']],
  }),
  async *read(_config, { partition }) {
    if (partition.length > 0) yield { batch: batchOf(partition), unrepresentable: [] };
  },
  arrowSchema: () => schema,
  capture: {
    async start(config, { key, name }) {
      const { transactions } = config as ScriptedConfig;
      note(config as ScriptedConfig, `start ${/^huitong_[a-z0-9]+$/.test(name)} ${key} ${transactions.length}`);
      return { snapshot: snapshotOf(config as ScriptedConfig), position: `${transactions.length}` };
    },
    lag: async (config) => (config as ScriptedConfig).lag ?? { readable: true, bytes: 0 },
    async *readChanges(config, { after, changesMax }) {
      let told = 0;
      for (const [i, changes] of (config as ScriptedConfig).transactions.entries()) {
        if (i < Number(after) || told >= changesMax) continue;
        told += changes.length;
        yield batchOfChanges(changes, `${i + 1}`);
      }
    },
    acknowledge: async (config, _request, position) => note(config as ScriptedConfig, `acknowledge ${position}`),
    drop: async (config) => note(config as ScriptedConfig, 'drop'),
  },
};

function batchOfChanges(changes: Change[], position: string): ChangeBatch {
  const operations = Uint8Array.from(changes, ([operation]) => changeOperations[operation]);
  const batch = batchOf(changes.map(([, id, name = null]) => ({ id, name })));
  return { batch, operations, unrepresentable: [], position };
}
