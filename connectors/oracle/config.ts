import { configChecker } from '../config.ts';
import { type OraConfig, oraProperties } from '../ora-config.ts';

export interface OracleConfig extends OraConfig {
  /** Service name, such as ORCLPDB1. */
  service: string;
  /** `true`: TLS (tcps), with the server's certificate and name verified. */
  ssl?: boolean;
}

export const configSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'Oracle connection',
  type: 'object',
  additionalProperties: false,
  properties: {
    ...oraProperties,
    port: { ...oraProperties.port, default: 1521 },
    service: { type: 'string', pattern: '^[A-Za-z0-9_.$#-]+$', description: 'Service name, such as ORCLPDB1.' },
    ssl: { type: 'boolean', default: false, description: 'TLS (tcps), certificate and name verified.' },
  },
  required: ['host', 'service', 'user', 'password'],
};

/** Throws CONFIG_INVALID. */
export const assertConfig: (config: OracleConfig) => void = configChecker(configSchema, 'an Oracle source');
