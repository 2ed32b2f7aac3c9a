/**
 * `defineConnector`: a connector from what only its author can know. The compiler demands the methods that the
 * declared capabilities promise; what follows from the declaration is made here.
 *
 *   snapshot: any but none             `openSnapshot`, which holds one state
 *   snapshot: none                     nothing; a source that is told its configuration and its owner stands in for one
 *   partitioning: true                 `plan` divides the table; false: it only says what is read
 *   cursor: true                       `cursorBound`
 *   changeCapture: true                what `ChangeCapture` says
 */
import type { Schema } from 'apache-arrow';
import { HuitongError } from '../lib/errors.ts';
import { arrowSchemaOf, type TypeTable } from './columns.ts';
import { type ConfigSchema, configChecker } from './config.ts';
import type {
  Capabilities,
  ChangeCapture,
  CheckReport,
  Connector,
  ConnectorContext,
  CursorReading,
  PlanOptions,
  ReadPlan,
  ReadRequest,
  Snapshot,
  SourceBatch,
  SourceTable,
  TableName,
  TableRequest,
  UploadReading,
} from './connector.ts';

/** The only partition of a kind that divides nothing. */
export interface WholeTable {
  table: TableName;
}

/** What `plan` says where there is nothing to divide. The guarantee is the snapshot's. */
export type TablePlan = Omit<ReadPlan, 'partitions' | 'guarantee' | 'snapshotToken'>;

/** What a kind without snapshots plans from: each read opens the source anew, so there is nothing to keep alive. */
export class OpenSource<Config> implements Snapshot {
  readonly guarantee = 'none';
  readonly openedAt = new Date();
  readonly config: Config;
  readonly context: ConnectorContext;

  constructor(config: Config, context: ConnectorContext) {
    this.config = config;
    this.context = context;
  }

  /** A source without snapshots has none: totals of another moment would disagree with the rows. */
  controlTotals(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  /** Throws CANCELLED where its owner has ended. */
  async assertAlive(): Promise<void> {
    if (this.context.signal.aborted) {
      throw new HuitongError('CANCELLED', 'the source was closed by its owner');
    }
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

interface Common<Config, SourceType, Mapping, Partition> {
  /** In lower case, as a source's definition names it; also the folder's name. */
  kind: string;
  title: { zh: string; en: string };
  /** JSON Schema (2020-12) of `connection`, so that the console and the CLI can ask for it. */
  configSchema: ConfigSchema;
  types: TypeTable<SourceType, Mapping>;
  check(config: Config, context: ConnectorContext): Promise<CheckReport>;
  discover(config: Config, context: ConnectorContext): Promise<SourceTable[]>;
  read(config: Config, request: ReadRequest<Partition>, context: ConnectorContext): AsyncGenerator<SourceBatch>;
  uploads?: UploadReading<Config>;
}

interface Opening<Config, S extends Snapshot> {
  openSnapshot(config: Config, context: ConnectorContext): Promise<S>;
}

interface PartitionedPlanning<S extends Snapshot, Partition> {
  plan(snapshot: S, request: TableRequest, options: PlanOptions): Promise<ReadPlan<Partition>>;
}

interface WholePlanning<S extends Snapshot> {
  plan(snapshot: S, request: TableRequest): Promise<TablePlan>;
}

/** What the capabilities `C` demand of a definition. */
type Demanded<Config, S extends Snapshot, Partition, C extends Capabilities> = (C['snapshot'] extends 'none'
  ? unknown
  : Opening<Config, S>) &
  (C['partitioning'] extends true ? PartitionedPlanning<S, Partition> : WholePlanning<S>) &
  (C['cursor'] extends true ? CursorReading<S> : unknown) &
  (C['changeCapture'] extends true ? ChangeCapture<Config> : unknown);

export type ConnectorDefinition<
  Config,
  SourceType,
  Mapping,
  Partition,
  S extends Snapshot,
  C extends Capabilities,
> = Common<Config, SourceType, Mapping, Partition> & { capabilities: C } & Partial<Opening<Config, S>> &
  Demanded<Config, S, Partition, C>;

/** See the top of this file. */
export function defineConnector<
  Config,
  SourceType,
  Mapping,
  const C extends Capabilities,
  Partition = WholeTable,
  S extends Snapshot = OpenSource<Config>,
>(
  definition: ConnectorDefinition<Config, SourceType, Mapping, Partition, S, C>,
): Connector<Config, S, Partition> & { readonly capabilities: C };
export function defineConnector(definition: AnyDefinition): Connector {
  const { types, plan, ...given } = definition;
  const assertConfig = configChecker(definition.configSchema, `a source of kind ${definition.kind}`);
  return {
    openSnapshot: async (config, context) => {
      assertConfig(config);
      const source = new OpenSource(config, context);
      await source.assertAlive();
      return source;
    },
    ...given,
    plan: async (snapshot, request, options) => {
      const planned = await plan(snapshot, request, options);
      if ('partitions' in planned) return planned;
      return { ...planned, partitions: [{ table: planned.table }], guarantee: snapshot.guarantee };
    },
    arrowSchema: (plan): Schema => arrowSchemaOf(types, plan),
  };
}

/** What every definition is to the code above, which asks nothing of what only its kind knows. */
type AnyDefinition = Common<unknown, unknown, unknown, unknown> &
  Partial<Opening<unknown, Snapshot> & CursorReading & ChangeCapture<unknown>> & {
    capabilities: Capabilities;
    plan(snapshot: Snapshot, request: TableRequest, options: PlanOptions): Promise<ReadPlan | TablePlan>;
  };
