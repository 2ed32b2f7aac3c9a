import type { Configuration, SettingName } from './configuration.ts';

export const exchangeWorkerSettings = ['catalogUrl', 'storeUrl'] as const satisfies readonly SettingName[];
export const sourceWorkerSettings = ['stagingUrl', 'workerToken'] as const satisfies readonly SettingName[];

/** What a worker of these roles cannot do without. */
export function workerSettings({ workerRoles = [] }: Configuration): SettingName[] {
  const exchange = workerRoles.includes('exchange') ? exchangeWorkerSettings : [];
  const source = workerRoles.some((role) => role.startsWith('source:')) ? sourceWorkerSettings : [];
  return ['temporalAddress', 'workerRoles', ...exchange, ...source];
}
