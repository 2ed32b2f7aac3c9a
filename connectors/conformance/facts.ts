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

declare module 'vitest' {
  interface TaskMeta {
    conformance?: ConformanceFact;
  }
}
