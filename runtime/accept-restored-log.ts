/**
 * A person's decision after the catalog was restored from a backup that is older than the audit log's newest head
 * (docs/reference/faults.md, 25). With all servers stopped, and the settings of a server:
 *   node --import tsx runtime/accept-restored-log.ts <leaves in the database> <who decides> <reason>
 */
import { acceptRestoredLog } from '../exchange/audit/accept.ts';
import { keyedHash } from '../exchange/audit/leaf.ts';
import { createHeadSigner } from '../exchange/audit/signer.ts';
import { toHuitongError } from '../lib/errors.ts';
import { loadConfiguration, requireSettings, variableOf } from './configuration.ts';
import { subjectKeyOf } from './keys.ts';
import { openConfiguredHeadStore } from './open.ts';
import { Resources } from './resources.ts';
import { resolveSecret } from './secrets.ts';
import { serverSettings } from './server-settings.ts';

const [leaves, who, reason] = process.argv.slice(2);
const resources = new Resources();
try {
  if (!/^\d+$/.test(leaves ?? '') || !who || !reason) {
    throw new Error('usage: accept-restored-log.ts <leaves in the database> <who decides> <reason>');
  }
  const settings = requireSettings(loadConfiguration(), serverSettings, 'deciding about the audit log');
  const [url, privateKeyPem, subjectKey] = await Promise.all(
    (['catalogUrl', 'signingKey', 'auditSubjectKey'] as const).map((name) =>
      resolveSecret(settings[name], variableOf(name)),
    ),
  );
  const signer = createHeadSigner({ origin: settings.auditOrigin, privateKeyPem });
  const headStore = await openConfiguredHeadStore(settings, resources);
  const subject = keyedHash(subjectKeyOf(subjectKey, variableOf('auditSubjectKey')), who);
  const lost = await acceptRestoredLog({ url, signer, headStore }, { size: Number(leaves), subject, reason });
  console.log(
    `The log goes on after ${leaves} leaves. Keep this head with the decision; it is not proved any more:\n\n${lost}`,
  );
} catch (e: unknown) {
  const error = toHuitongError(e);
  console.error(
    error.code === 'INTERNAL' && e instanceof Error ? e.message : `${error.code}: ${error.message}\n→ ${error.hint}`,
  );
  process.exitCode = 1;
} finally {
  await resources.close();
}
