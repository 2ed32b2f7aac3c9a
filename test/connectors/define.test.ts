/** The `@ts-expect-error` lines are checked by `npm run types`: a line that compiles after all is an error there. */
import { Int64 } from 'apache-arrow';
import { describe, expect, expectTypeOf, test } from 'vitest';
import type { TypeTable } from '../../connectors/columns.ts';
import type {
  CheckReport,
  ConnectorContext,
  ReadPlan,
  ReadRequest,
  Snapshot,
  SourceBatch,
  SourceCapture,
} from '../../connectors/connector.ts';
import { defineConnector, OpenSource, type TablePlan, type WholeTable } from '../../connectors/define.ts';

interface Config {
  folder: string;
}

interface Range {
  from: number;
}

class Held implements Snapshot {
  readonly guarantee = 'snapshot';
  readonly openedAt = new Date();
  readonly label: string;
  constructor(label: string) {
    this.label = label;
  }
  controlTotals() {
    return Promise.resolve(undefined);
  }
  assertAlive() {
    return Promise.resolve();
  }
  close() {
    return Promise.resolve();
  }
}

const types: TypeTable<'number', { as: 'int64' }> = {
  mappingOf: () => ({ as: 'int64' }),
  overridden: () => undefined,
  arrowTypeOf: () => new Int64(),
};
const table = { name: 'numbers' };
const tablePlan: TablePlan = {
  table,
  columns: [{ name: 'n', sourceType: 'number', nullable: false, mapping: { as: 'int64' } }],
  description: {},
  uniqueKeys: [],
};
const common = {
  kind: 'numbers',
  title: { zh: '数字', en: 'Numbers' },
  configSchema: { type: 'object', additionalProperties: false, properties: { folder: { type: 'string' } } },
  types,
  check: async (_config: Config): Promise<CheckReport> => ({ ok: true, steps: [] }),
  discover: async () => [],
};
const readWhole = async function* (_config: Config, _request: ReadRequest<WholeTable>): AsyncGenerator<SourceBatch> {};
const readRange = async function* (_config: Config, _request: ReadRequest<Range>): AsyncGenerator<SourceBatch> {};
const plain = { snapshot: 'none', partitioning: false, cursor: false, changeCapture: false } as const;
const openSnapshot = async (_config: Config, context: ConnectorContext) => new Held(context.label);
const planRanges = async (): Promise<ReadPlan<Range>> => ({
  ...tablePlan,
  partitions: [{ from: 0 }],
  guarantee: 'none',
});
const planWhole = async () => tablePlan;

const capture: SourceCapture<Config> = {
  start: async (_config, _request, context) => ({ snapshot: new Held(context.label), position: '0' }),
  lag: async () => ({ readable: true }),
  readChanges: async function* () {},
  acknowledge: async () => {},
  drop: async () => {},
};

describe('the compiler demands what a capability promises', () => {
  test('the least that a kind can be', () => {
    const connector = defineConnector({ ...common, capabilities: plain, plan: planWhole, read: readWhole });
    expectTypeOf(connector.openSnapshot).returns.resolves.toEqualTypeOf<OpenSource<Config>>();
    expectTypeOf(connector.capabilities.cursor).toEqualTypeOf<false>();
    expect(connector.kind).toBe('numbers');
  });

  test('a snapshot must be opened by whoever has one', () => {
    const capabilities = { ...plain, snapshot: 'exported' } as const;
    // @ts-expect-error openSnapshot is missing
    defineConnector({ ...common, capabilities, plan: planWhole, read: readWhole });
    const connector = defineConnector({
      ...common,
      capabilities,
      openSnapshot,
      plan: async (snapshot) => ({ ...tablePlan, description: { by: snapshot.label } }),
      read: readWhole,
    });
    expectTypeOf(connector.openSnapshot).returns.resolves.toEqualTypeOf<Held>();
  });

  test('partitions must be planned by whoever divides tables, and only by them', () => {
    const capabilities = { ...plain, partitioning: true } as const;
    // @ts-expect-error a plan without partitions
    defineConnector({ ...common, capabilities, plan: planWhole, read: readRange });
    const connector = defineConnector({ ...common, capabilities, plan: planRanges, read: readRange });
    expectTypeOf(connector.read).parameter(1).toEqualTypeOf<ReadRequest<Range>>();
  });

  test('a cursor needs its bound', () => {
    const capabilities = { ...plain, cursor: true } as const;
    // @ts-expect-error cursorBound is missing
    defineConnector({ ...common, capabilities, plan: planWhole, read: readWhole });
    const cursorBound = async () => '42';
    const connector = defineConnector({ ...common, capabilities, plan: planWhole, read: readWhole, cursorBound });
    expect(connector.cursorBound).toBe(cursorBound);
  });

  test('change capture needs its methods', () => {
    const capabilities = { ...plain, changeCapture: true } as const;
    // @ts-expect-error capture is missing
    defineConnector({ ...common, capabilities, plan: planWhole, read: readWhole });
    const connector = defineConnector({ ...common, capabilities, plan: planWhole, read: readWhole, capture });
    expectTypeOf(connector.capabilities.changeCapture).toEqualTypeOf<true>();
    expect(connector.capture).toBe(capture);
  });

  test('every kind says what becomes of its types', () => {
    const { types: _, ...untyped } = common;
    // @ts-expect-error types is missing
    expect(() => defineConnector({ ...untyped, capabilities: plain, plan: planWhole, read: readWhole })).not.toThrow();
  });
});

describe('what follows from the declaration', () => {
  const connector = defineConnector({ ...common, capabilities: plain, plan: planWhole, read: readWhole });
  const context = { signal: new AbortController().signal, label: 'huitong/test' };

  test('without snapshots a source is opened, refused and closed all the same', async () => {
    const source = await connector.openSnapshot({ folder: 'in' }, context);
    expect(source).toBeInstanceOf(OpenSource);
    expect(source).toMatchObject({ guarantee: 'none', config: { folder: 'in' } });
    expect(await source.controlTotals()).toBeUndefined();
    await source.close();
    const misspelt = { floder: 'in' } as unknown as Config;
    await expect(connector.openSnapshot(misspelt, context)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    const ended = { ...context, signal: AbortSignal.abort() };
    await expect(connector.openSnapshot({ folder: 'in' }, ended)).rejects.toMatchObject({ code: 'CANCELLED' });
  });

  test('a kind that divides nothing reads the whole table, under the guarantee of its snapshot', async () => {
    const source = await connector.openSnapshot({ folder: 'in' }, context);
    const plan = await connector.plan(source, { table }, { partitions: 4 });
    expect(plan).toMatchObject({ partitions: [{ table }], guarantee: 'none' });
    const { fields } = connector.arrowSchema(plan);
    expect(fields.map(({ name, type, nullable }) => [name, String(type), nullable])).toEqual([['n', 'Int64', false]]);
  });

  test('a kind that divides its tables keeps its own plan', async () => {
    const capabilities = { ...plain, snapshot: 'exported', partitioning: true } as const;
    const divided = defineConnector({ ...common, capabilities, openSnapshot, plan: planRanges, read: readRange });
    const snapshot = await divided.openSnapshot({ folder: 'in' }, context);
    expect(snapshot.label).toBe('huitong/test');
    const plan = await divided.plan(snapshot, { table }, { partitions: 1 });
    expect(plan.partitions).toEqual([{ from: 0 }]);
  });
});
