/** How our processes connect to Temporal: the development server, a cluster with mutual TLS, or Temporal Cloud. */
import type { TLSConfig } from '@temporalio/client';
import { type Configuration, type SettingName, variableOf } from './configuration.ts';
import { resolveSecret } from './secrets.ts';

/** Options that `Connection.connect` and `NativeConnection.connect` both take. */
export interface TemporalOptions {
  address?: string;
  apiKey?: string;
  tls: TLSConfig | false;
}

/** Resolves the secrets that the connection needs. Throws SECRET_MISSING. */
export async function temporalOptions(configuration: Configuration): Promise<TemporalOptions> {
  const secret = async (setting: SettingName & `temporal${string}`): Promise<string | undefined> => {
    const reference = configuration[setting];
    return typeof reference === 'string' ? resolveSecret(reference, variableOf(setting)) : undefined;
  };
  const [apiKey, ca, certificate, key] = await Promise.all([
    secret('temporalApiKey'),
    secret('temporalTlsCa'),
    secret('temporalTlsCertificate'),
    secret('temporalTlsKey'),
  ]);
  const encrypted = configuration.temporalTls || apiKey !== undefined || ca !== undefined || certificate !== undefined;
  return {
    address: configuration.temporalAddress,
    ...(apiKey === undefined ? {} : { apiKey }),
    tls: encrypted && {
      ...(configuration.temporalTlsServerName ? { serverNameOverride: configuration.temporalTlsServerName } : {}),
      ...(ca ? { serverRootCACertificate: Buffer.from(ca) } : {}),
      ...(certificate && key ? { clientCertPair: { crt: Buffer.from(certificate), key: Buffer.from(key) } } : {}),
    },
  };
}
