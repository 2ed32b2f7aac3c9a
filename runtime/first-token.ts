/**
 * Makes the first administrator's token of an installation, and prints it once. Further tokens are made through the API.
 *   HUITONG_CATALOG_URL=… node --import tsx runtime/first-token.ts <department> <person or system>
 */
import { migrate, openCatalog } from '../catalog/database.ts';
import { mintToken } from '../exchange/access/tokens.ts';
import { toHuitongError } from '../lib/errors.ts';
import { loadConfiguration, requireSettings } from './configuration.ts';
import { resolveSecret } from './secrets.ts';

const [department, subject] = process.argv.slice(2);
try {
  if (!department || !subject) throw new Error('usage: first-token.ts <department> <person or system>');
  const { catalogUrl } = requireSettings(loadConfiguration(), ['catalogUrl'], 'making a token');
  const catalog = openCatalog(await resolveSecret(catalogUrl, 'HUITONG_CATALOG_URL'));
  try {
    await migrate(catalog);
    const { secret } = await mintToken(catalog, {
      department,
      subject,
      roles: ['administrator'],
      label: 'first token',
    });
    console.log(secret);
  } finally {
    await catalog.destroy();
  }
} catch (e: unknown) {
  const error = toHuitongError(e);
  console.error(
    error.code === 'INTERNAL' && e instanceof Error ? e.message : `${error.code}: ${error.message}\n→ ${error.hint}`,
  );
  process.exitCode = 1;
}
