/** Stacks of a program that runs as one bundled file. */
import { existsSync, readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { resolve } from 'node:path';

const PLACE = /(\/[^\s():]+\.cjs):(\d+):(\d+)/g;

/** With places in the sources instead of the bundle's; what has no source map beside it stays. */
export function inSources(stack: string): string {
  const maps = new Map<string, SourceMap | undefined>();
  return stack.replace(PLACE, (place, file: string, line: string, column: string) => {
    if (!maps.has(file)) maps.set(file, mapOf(file));
    const found = maps.get(file)?.findEntry(Number(line) - 1, Number(column) - 1);
    if (found === undefined || !('originalSource' in found)) return place;
    return `${found.originalSource}:${found.originalLine + 1}:${found.originalColumn + 1}`;
  });
}

function mapOf(file: string): SourceMap | undefined {
  if (!existsSync(`${file}.map`)) return undefined;
  const payload = JSON.parse(readFileSync(`${file}.map`, 'utf8'));
  return new SourceMap({ ...payload, sources: payload.sources.map((source: string) => resolve('/', source)) });
}
