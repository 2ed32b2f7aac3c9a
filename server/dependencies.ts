/** What the application is built from; `runtime/server.ts` composes it. */
import type { Client } from '@temporalio/client';
import type { FastifyBaseLogger } from 'fastify';
import type { Access } from '../exchange/access/access.ts';
import type { Lookups } from '../exchange/access/lookup/lookups.ts';
import type { AuditLog } from '../exchange/audit/audit-log.ts';
import type { IdentityProvider } from '../exchange/people/oidc.ts';
import type { Publication } from '../exchange/publication/publication.ts';
import type { SessionTokens } from './session-tokens.ts';

export interface AppDependencies {
  logger: FastifyBaseLogger;
  /** The catalog and the store. */
  publication: Publication;
  access: Access;
  audit: AuditLog;
  lookups: Lookups;
  temporal: Client;
  /** Public X25519 key (base64) that quarantined rows are sealed to. */
  quarantineKey: string;
  sessions: SessionTokens;
  /** Absent: people sign in with passwords only. */
  identityProvider?: IdentityProvider;
  /** Addresses and subnets of the proxies whose X-Forwarded-For is believed; absent: nobody's. */
  trustedProxies?: string[];
  /** By service: `ok`, or one line that says what is wrong. */
  health(): Promise<Record<string, string>>;
}
