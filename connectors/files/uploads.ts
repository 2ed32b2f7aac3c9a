/** Files that were uploaded to the exchange: which of them a table needs, and the source once they lie in a folder. */
import type { UploadReading } from '../connector.ts';
import { checkConfig, type FilesConfig, tableOptions } from './config.ts';
import { assertInside, patternOf } from './location.ts';

export const uploads: UploadReading<FilesConfig> = {
  wanted(config, names, table) {
    if (config.upload === undefined) return undefined;
    checkConfig(config);
    if (table === undefined) return names;
    // There are no schemas: what a person's `ledger.xlsx` was taken apart into belongs together.
    const { files } = tableOptions(config, table.schema === undefined ? table.name : `${table.schema}.${table.name}`);
    assertInside(files);
    const pattern = patternOf(files);
    return names.filter((name) => name === files || pattern.test(name));
  },
  inFolder({ upload: _, ...config }, folder) {
    return { ...config, folder };
  },
};
