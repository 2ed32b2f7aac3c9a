/** Every workflow of the task queue `exchange`; the worker bundles this file. */
export { checkSource } from './check-source.ts';
export { discoverSource } from './discover-source.ts';
export { dutyCase } from './duty-case.ts';
export { inferDataset } from './infer-dataset.ts';
export { previewDataset } from './preview-dataset.ts';
export { publishDataset } from './publish-dataset.ts';
export { publishOnSchedule } from './publish-on-schedule.ts';
export { request } from './request.ts';
