/**
 * The configuration of a process: read once, from the environment and an optional file, and checked as a whole against
 * `schemas/document/configuration.json`, which is also where its type and its reference page come from.
 */
import { readFileSync } from 'node:fs';
import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js';
import { parse as parseYaml } from 'yaml';
import { HuitongError, type Problem } from '../lib/errors.ts';
import schema from '../schemas/document/configuration.json' with { type: 'json' };
import type { ConfigurationDocument } from '../schemas/generated/configuration.ts';
import { nearestName } from './nearest-name.ts';

export type SettingName = keyof typeof schema.properties;
/** What has a default in the schema is always there. */
export type Configuration = ConfigurationDocument & Required<Pick<ConfigurationDocument, SettingWithDefault>>;
type SettingWithDefault = {
  [K in SettingName]: (typeof schema.properties)[K] extends { default: unknown } ? K : never;
}[SettingName];

const PREFIX = 'HUITONG_';
/** Not settings of a process: where the file is, and what the command line client, and tests and the bench, read. */
const OTHER_VARIABLES = ['HUITONG_CONFIG', 'HUITONG_URL', 'HUITONG_TOKEN', 'HUITONG_PYTHON'];
const settingNames = Object.keys(schema.properties) as SettingName[];

const ajv = new Ajv2020({ allErrors: true, useDefaults: true, strict: true });
ajv.addVocabulary(['secret', 'usedBy']);
const validate = ajv.compile<Configuration>(schema);

/** `catalogUrl` is `HUITONG_CATALOG_URL`. */
export function variableOf(setting: string): string {
  return PREFIX + setting.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
}

/**
 * Reads the settings; the environment wins over the file.
 * @throws CONFIG_INVALID with every mistake at once; unknown names are mistakes, and the nearest known one is told
 */
export function loadConfiguration(environment: NodeJS.ProcessEnv = process.env): Configuration {
  const problems: Problem[] = [];
  const document: Record<string, unknown> = { ...fromFile(environment.HUITONG_CONFIG, problems) };
  for (const [variable, text] of Object.entries(environment)) {
    if (!variable.startsWith(PREFIX) || OTHER_VARIABLES.includes(variable) || text === undefined) continue;
    const setting = settingNames.find((name) => variableOf(name) === variable);
    if (setting === undefined) problems.push(unknownName(variable, settingNames.map(variableOf), 'the environment'));
    else document[setting] = fromText(setting, text);
  }
  // The name that Temporal's own tools use.
  if (environment.TEMPORAL_ADDRESS) document.temporalAddress ??= environment.TEMPORAL_ADDRESS;
  const valid = validate(document);
  if (!valid) problems.push(...(validate.errors ?? []).map((error) => problemOf(error, environment)));
  if (valid && problems.length === 0) return document;
  const lines = problems.map((problem) => `${problem.at}: ${problem.message}`);
  throw new HuitongError('CONFIG_INVALID', lines.join('\n'), { at: problems[0].at, problems });
}

/**
 * The same configuration, with settings that this process cannot do without.
 * @throws CONFIG_INVALID naming all that are missing, as environment variables
 */
export function requireSettings<K extends SettingName>(
  configuration: Configuration,
  names: readonly K[],
  purpose: string,
): Configuration & Required<Pick<Configuration, K>> {
  const missing = names.filter((name) => configuration[name] === undefined).map(variableOf);
  if (missing.length > 0) {
    throw new HuitongError('CONFIG_INVALID', `${purpose} needs ${missing.join(', ')}`, {
      at: missing[0],
      hint: 'Set them in the environment or in the file that HUITONG_CONFIG names; see docs/reference/configuration.md.',
    });
  }
  return configuration as Configuration & Required<Pick<Configuration, K>>;
}

function fromFile(path: string | undefined, problems: Problem[]): Record<string, unknown> {
  if (!path) return {};
  let document: unknown;
  try {
    // JSON is YAML; one parser reads both.
    document = parseYaml(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new HuitongError('CONFIG_INVALID', `the file that HUITONG_CONFIG names cannot be read`, { at: path, cause });
  }
  if (document === null || typeof document !== 'object' || Array.isArray(document)) {
    throw new HuitongError('CONFIG_INVALID', 'the file of settings is not a mapping of names to values', { at: path });
  }
  const known = Object.entries(document).filter(([name]) => {
    if ((settingNames as string[]).includes(name)) return true;
    problems.push(unknownName(name, settingNames, path));
    return false;
  });
  return Object.fromEntries(known);
}

function unknownName(name: string, known: string[], where: string): Problem {
  const message = `no setting has this name (${where}); the nearest is ${nearestName(name, known)}`;
  return { code: 'CONFIG_INVALID', at: name, message };
}

/** Text that does not have its setting's type is passed on as it is; the schema refuses it with the setting's name. */
function fromText(setting: SettingName, text: string): unknown {
  const type = (schema.properties[setting] as { type?: string }).type;
  if (type === 'integer') return /^-?\d+$/.test(text) ? Number(text) : text;
  if (type === 'boolean') return text === 'true' ? true : text === 'false' ? false : text;
  if (type === 'array') return text.split(',').map((item) => item.trim());
  return text;
}

/** The value itself is not repeated: a secret may have been written where a reference belongs. */
function problemOf(error: ErrorObject, environment: NodeJS.ProcessEnv): Problem {
  const setting = error.instancePath.split('/')[1] ?? '';
  const variable = variableOf(setting);
  const allowed = error.keyword === 'enum' ? `: ${error.params.allowedValues.join(', ')}` : '';
  return {
    code: 'CONFIG_INVALID',
    at: environment[variable] === undefined ? setting : variable,
    pointer: error.instancePath,
    message: `${error.message}${allowed}`,
  };
}
