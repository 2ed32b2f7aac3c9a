import { configChecker } from '../../index.ts';

/** A source's `connection`. */
export interface ExampleConfig {
  /** Absolute path of a folder with a file `<table>.tsv` for each table. */
  folder: string;
}

export const configSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'Folder of tab-separated tables',
  type: 'object',
  additionalProperties: false,
  required: ['folder'],
  properties: {
    folder: { type: 'string', minLength: 1, description: 'Absolute path of a folder with a file <table>.tsv a table.' },
  },
};

/** Throws CONFIG_INVALID with a pointer to each mistake, never with a value. */
export const assertConfig = configChecker<ExampleConfig>(configSchema, 'a source of kind example');
