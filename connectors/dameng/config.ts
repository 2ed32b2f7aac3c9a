import { configChecker } from '../config.ts';
import { type OraConfig, oraProperties } from '../ora-config.ts';

export type DamengConfig = OraConfig;

export const configSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'Dameng connection',
  type: 'object',
  additionalProperties: false,
  properties: { ...oraProperties, port: { ...oraProperties.port, default: 5236 } },
  required: ['host', 'user', 'password'],
};

/** Throws CONFIG_INVALID. */
export const assertConfig: (config: DamengConfig) => void = configChecker(configSchema, 'a Dameng source');
