/** What the kit tells a reporter besides passed and failed: it travels as the meta data of vitest's tasks. */
export interface ConformanceFact {
  /** The connector's kind. */
  kind: string;
  fidelity?: Fidelity;
}

/** How well the values of the torture table were kept; every cell was compared with the source's own text. */
export interface Fidelity {
  /** Source types that keep an Arrow type of their own, and those that are read as the source's exact text. */
  typed: string[];
  asText: string[];
  cells: number;
  equal: number;
  /** Cells that Arrow cannot hold: null there, and reported with row, column and reason. */
  reported: number;
}

/** What a run of the suite found of one kind. */
export interface KindResult {
  passed: number;
  failed: number;
  /** Why, and of which checks. */
  skipped: Map<string, string[]>;
  failures: string[];
  /** Absent where the values were not read, or not as they should be. */
  fidelity?: Fidelity;
}

declare module 'vitest' {
  interface TaskMeta {
    conformance?: ConformanceFact;
  }
}
