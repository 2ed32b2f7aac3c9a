import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { publishRulesOf } from '../../../catalog/publishing.ts';
import { decide } from '../../../exchange/publication/decide.ts';
import { buildManifest } from '../../../exchange/publication/manifest.ts';
import { checkReport, type StagedRow } from '../../../exchange/publication/report.ts';
import type { DatasetDefinition } from '../../../schemas/generated/dataset.ts';
import type { RunReport } from '../../../schemas/generated/run-report.ts';
import { makeReport } from './world.ts';

const rulesOf = (definition: Partial<DatasetDefinition> = {}) => publishRulesOf(definition as DatasetDefinition);
const run = { runId: '0198c0de-0000-7000-8000-000000000001', generation: 1 };

function report(published: number, quarantined = 0, name = 'a'): RunReport {
  const part = (rows: number, letter: string) => ({ digest: letter.repeat(64), sizeBytes: rows, rows });
  return makeReport(run, published > 0 ? [part(published, name)] : [], quarantined > 0 ? [part(quarantined, 'e')] : []);
}

const manifestOf = (of: RunReport) => buildManifest(of, 1, 'c'.repeat(64), undefined);
const counts = fc.record({ published: fc.nat(1_000), quarantined: fc.nat(1_000) });
const share = fc.double({ min: 0, max: 1, noNaN: true });

describe('the decision', () => {
  it('rejects exactly what exceeds the tolerance, whatever is confirmed', () => {
    fc.assert(
      fc.property(counts, share, fc.boolean(), ({ published, quarantined }, quarantinedShareMax, confirmed) => {
        const decision = decide(
          report(published, quarantined),
          rulesOf({ tolerance: { quarantinedShareMax } }),
          undefined,
          confirmed,
        );
        const exceeded = quarantined > quarantinedShareMax * (published + quarantined);
        expect(decision).toMatchObject(
          exceeded ? { outcome: 'rejected', code: 'TOLERANCE_EXCEEDED' } : { outcome: 'publish' },
        );
      }),
    );
  });

  it('guards against losing rows, and a confirmation lifts it', () => {
    const property = fc.property(
      fc.nat(500),
      fc.nat(500),
      share,
      fc.boolean(),
      (before, after, lostShareMax, empty) => {
        const rules = rulesOf({ publishGuard: { lostShareMax, emptyAllowed: empty } });
        const [current, next] = [manifestOf(report(before)), report(after, 0, 'b')];
        const lost = before - after;
        const held = before > 0 && (after === 0 ? !empty : lost > 0 && lost >= lostShareMax * before);
        const expected = held ? { outcome: 'rejected', code: 'PUBLISH_GUARD' } : {};
        expect(decide(next, rules, current, false)).toMatchObject(expected);
        expect(decide(next, rules, current, true).outcome).not.toBe('rejected');
      },
    );
    fc.assert(property, {
      examples: [
        [100, 50, 0.5, false],
        [100, 51, 0.5, false],
        [100, 0, 1, true],
        [0, 0, 0, false],
      ],
    });
  });

  it('finds unchanged only the same parts, order, schema and contract', () => {
    const same = report(5);
    const current = manifestOf(same);
    const again = (changes: Partial<RunReport>) => decide({ ...same, ...changes }, rulesOf(), current, false).outcome;
    expect(again({})).toBe('unchanged');
    expect(again({ snapshotAt: '2027-01-01T00:00:00Z', elapsedMs: 9 })).toBe('unchanged');
    expect(again({ contractVersion: '1.1.0' })).toBe('publish');
    expect(again({ arrowSchema: 'AAAA' })).toBe('publish');
    expect(again({ parts: report(5, 0, 'b').parts })).toBe('publish');
  });
});

describe('a report held against what was staged', () => {
  const stagedOf = ({ parts, quarantine }: RunReport): Map<string, StagedRow> =>
    new Map([
      ...parts.map(({ digest, sizeBytes }): [string, StagedRow] => [
        digest,
        { digest, kind: 'part', size_bytes: sizeBytes },
      ]),
      ...quarantine.map(({ digest, sizeBytes }): [string, StagedRow] => [
        digest,
        { digest, kind: 'quarantine', size_bytes: sizeBytes },
      ]),
    ]);
  const runRow = { id: run.runId, generation: 1, dataset: report(0).dataset, contract_version: '1.0.0', basis: null };
  const numbers = ['rowsRead', 'rowsPublished', 'rowsQuarantined', 'generation'] as const;

  it('is believed when it is true, and not when any of its numbers is changed', () => {
    fc.assert(
      fc.property(counts, fc.constantFrom(...numbers), fc.integer({ min: 1, max: 9 }), (rows, name, by) => {
        const truth = report(rows.published, rows.quarantined);
        const check = (claimed: RunReport) => () => checkReport(claimed, runRow, stagedOf(truth), new Map());
        expect(check(truth)).not.toThrow();
        expect(check({ ...truth, [name]: truth[name] + by })).toThrow(
          expect.objectContaining({ code: 'REPORT_INVALID' }),
        );
      }),
    );
  });

  it('may not pass a quarantined object off as a part, change a size, or count a part twice', () => {
    const truth = report(5, 3);
    const refused = (changes: Partial<RunReport>) =>
      expect(() => checkReport({ ...truth, ...changes }, runRow, stagedOf(truth), new Map())).toThrow(
        expect.objectContaining({ code: 'REPORT_INVALID' }),
      );
    refused({ parts: [{ ...truth.quarantine[0], rows: 5 }] });
    refused({ parts: [{ ...truth.parts[0], sizeBytes: 1 }] });
    refused({ parts: [truth.parts[0], truth.parts[0]], rowsRead: 13, rowsPublished: 10 });
  });
});
