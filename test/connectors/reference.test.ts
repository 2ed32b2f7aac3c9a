import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import type { KindResult } from '../../connectors/conformance/facts.ts';
import { capabilityCells, referencePath, withResults } from '../../connectors/conformance/reference.ts';
import { connectorKinds, connectorOf } from '../../connectors/registry.ts';
import { conformanceSuites } from '../conformance/suites.ts';

const connectors = connectorKinds().map(connectorOf);

test('the reference shows every kind with the capabilities that it declares', async () => {
  const lines = (await readFile(referencePath, 'utf8')).split('\n');
  for (const connector of connectors) {
    const found = lines.find((line) => line.startsWith(`| \`${connector.kind}\` |`));
    expect(found, `npm run conformance ${connector.kind}`).toMatch(/^\|/);
    expect(found).toContain(capabilityCells(connector));
  }
});

test('every kind has a conformance suite', async () => {
  for (const [kind, files] of await conformanceSuites()) expect(files, kind).not.toEqual([]);
});

describe('the generated part', () => {
  const fidelity = { typed: ['int4'], asText: ['interval'], cells: 9, equal: 8, reported: 1 };
  const ran = (more: Partial<KindResult>): KindResult => ({
    passed: 1,
    failed: 0,
    skipped: new Map(),
    failures: [],
    ...more,
  });

  test('has what was found, and keeps what is said of kinds that did not run', async () => {
    const document = await readFile(referencePath, 'utf8');
    const once = withResults(document, connectors, new Map([['postgres', ran({ fidelity })]]));
    expect(once).toContain(`${capabilityCells(connectorOf('postgres'))} 2 | 8 of 9 | 1 |`);
    expect(once).toContain('- `postgres`, as the source’s exact text: `interval`.');
    expect(withResults(once, connectors, new Map())).toBe(once);
    expect(withResults(once, connectors, new Map([['postgres', ran({})]]))).toBe(once);
    expect(once.startsWith(document.slice(0, document.indexOf('| kind')))).toBe(true);
  });

  test('a document without its marks is an error', () => {
    expect(() => withResults('# Connectors', connectors, new Map())).toThrow(/has lost its line/);
  });
});
