import type { SettingName } from './configuration.ts';

/** What the server cannot do without. */
export const serverSettings = [
  'catalogUrl',
  'storeUrl',
  'temporalAddress',
  'signingKey',
  'auditSubjectKey',
  'quarantinePrivateKey',
] as const satisfies readonly SettingName[];
