/** Whatever districts follow each other, an apply makes the catalog match, and the gate holds for every contract. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { applyDistrict } from '../../../catalog/district/apply.ts';
import { compareVersions, contractChange } from '../../../catalog/district/contract-changes.ts';
import { differences } from '../../../catalog/district/difference.ts';
import { contractDigestOf } from '../../../catalog/district/digest.ts';
import type { District } from '../../../catalog/district/district.ts';
import { isEmptyPlan, planDistrict } from '../../../catalog/district/plan.ts';
import { readPresent } from '../../../catalog/district/present.ts';
import { compareContracts } from '../../../contracts/compatibility.ts';
import type { ContractDocument } from '../../../contracts/contract.ts';
import { contract, districtFiles, parsed, withCatalog } from '../support.ts';

const base = parsed(districtFiles());
const [clinics, vaccinations] = base.datasets;
const seed = 20_260_304;

/** Any of the datasets may be there, with titles, cycles and partitions of any kind. */
const districts: fc.Arbitrary<District> = fc
  .record({
    title: fc.string({ unit: 'grapheme', minLength: 1 }),
    cycle: fc.constantFrom('daily' as const, 'weekly' as const, 'irregular' as const),
    partitions: fc.option(fc.integer({ min: 1, max: 64 }), { nil: undefined }),
    connection: fc.dictionary(fc.string(), fc.oneof(fc.integer(), fc.boolean(), fc.string({ unit: 'grapheme' }))),
    datasets: fc.subarray(['clinics', 'vaccinations']),
    police: fc.boolean(),
  })
  .filter((value) => !JSON.stringify(value).includes('\\u0000'))
  .map(({ title, cycle, partitions, connection, datasets, police }) => ({
    ...base,
    departments: base.departments.filter(({ code }) => police || code !== 'police'),
    sources: base.sources.map((source) => ({ ...source, connection })),
    datasets: [
      ...(datasets.includes('clinics') ? [clinics!] : []),
      ...(datasets.includes('vaccinations')
        ? [
            {
              ...vaccinations!,
              definition: {
                ...vaccinations!.definition,
                title: { zh: title, en: title },
                updateCycle: cycle,
                ...(partitions === undefined ? {} : { partitions }),
              },
            },
          ]
        : []),
    ],
  }));

test('after an apply the catalog is the district, and planning it again gives nothing to do', () =>
  withCatalog((catalog) =>
    fc.assert(
      fc.asyncProperty(districts, async (district) => {
        const plan = await planDistrict(catalog, district);
        await applyDistrict(catalog, plan, 'property');
        const present = await readPresent(catalog);
        expect([...present.departments.keys()]).toEqual(district.departments.map(({ code }) => code));
        expect([...present.datasets.values()]).toEqual(district.datasets.map(({ definition }) => definition));
        expect([...present.sources.values()]).toEqual(district.sources);
        const again = await planDistrict(catalog, district);
        expect(isEmptyPlan(again)).toBe(true);
        expect(await applyDistrict(catalog, again, 'property')).toEqual({ changed: false });
      }),
      { seed, numRuns: 25, verbose: 1 },
    ),
  ));

const properties = fc.dictionary(
  fc.constantFrom('dose', 'batch', '姓名'),
  fc.record(
    {
      type: fc.constantFrom('string', 'integer', 'number'),
      title: fc.constantFrom('a', 'b'),
    },
    { requiredKeys: ['type'] },
  ),
);
const contracts: fc.Arbitrary<ContractDocument> = fc
  .record({
    version: fc.tuple(fc.nat(3), fc.nat(3), fc.nat(11)).map((numbers) => numbers.join('.')),
    properties,
    required: fc.subarray(['dose', 'batch', '姓名']),
    key: fc.constantFrom<string[]>(['record_id'], ['record_id', 'other']),
  })
  .map(({ version, properties: own, required, key }) => ({
    ...contract,
    version,
    key,
    properties: { record_id: { type: 'string' }, other: { type: 'string' }, ...own },
    required: required.filter((name) => Object.hasOwn(own, name)),
  }));

test('the gate lets a contract pass only with a new, greater version that its change demands', () => {
  fc.assert(
    fc.property(contracts, contracts, fc.array(contracts, { maxLength: 3 }), (old, next, past) => {
      const digests = new Map([...past, old].map((document) => [document.version, contractDigestOf(document)]));
      const current = { version: old.version, digest: contractDigestOf(old), document: old };
      const dataset = { ...clinics!, contract: next, contractDigest: contractDigestOf(next), contractAt: 'here' };
      const change = contractChange(dataset, { current, digests });
      if (contractDigestOf(next) === current.digest) return expect(change).toBeUndefined();

      const { level } = compareContracts(old, next);
      const [before, after] = [old.version, next.version].map((version) => version.split('.').map(Number));
      const raised = [after![0]! > before![0]!, after![0] === before![0] && after![1]! > before![1]!];
      const enough =
        level === 'major'
          ? raised[0]
          : level === 'minor'
            ? raised[0] || raised[1]
            : compareVersions(next.version, old.version) > 0;
      const passes = Boolean(enough) && !digests.has(next.version);
      expect(change?.level).toBe(level);
      expect(change?.problem === undefined).toBe(passes);
    }),
    { seed, numRuns: 300, verbose: 1 },
  );
});

test('no difference means equal, and every difference tells a member that differs', () => {
  const json = fc.jsonValue();
  fc.assert(
    fc.property(json, json, (a, b) => {
      const [from, to] = [JSON.parse(JSON.stringify(a)), JSON.parse(JSON.stringify(b))];
      expect(differences(from, from)).toEqual([]);
      expect(differences(from, to).length === 0).toBe(JSON.stringify(sorted(from)) === JSON.stringify(sorted(to)));
    }),
    { seed, numRuns: 500, verbose: 1 },
  );
});

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member]) => [name, sorted(member)]);
}
