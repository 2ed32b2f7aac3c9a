/**
 * What a connector is written with, here and outside of this repository: `import … from 'huitong/connector'`. The suite
 * that proves it is `huitong/conformance`.
 */
export type { UnrepresentableCell } from '../columnar/batch.ts';
export { builderFor, type ColumnBuilder, finishBatch } from '../columnar/builders/index.ts';
export { type ErrorCode, HuitongError, isHuitongError, toHuitongError } from '../lib/errors.ts';
export { limits } from '../lib/limits.ts';
export { checkSteps, failedSteps } from './check-steps.ts';
export * from './columns.ts';
export * from './config.ts';
export * from './connector.ts';
export * from './define.ts';
export * from './row-batches.ts';
