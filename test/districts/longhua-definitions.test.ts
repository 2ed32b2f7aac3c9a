import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseDistrict } from '../../catalog/district/parse.ts';
import { divisionsSql, readDivisions } from '../../districts/longhua/databases/divisions.ts';
import { districtFolder, readDatabaseIndex, readDistrictFiles } from './longhua.ts';

async function parse() {
  const { district, problems } = parseDistrict(await readDistrictFiles());
  expect(problems).toEqual([]);
  return district!;
}

describe('the definitions of Longhua', () => {
  it('parse without a problem: 48 departments, 10 sources, 22 datasets', async () => {
    const district = await parse();
    expect(district.departments).toHaveLength(48);
    expect(district.sources).toHaveLength(10);
    expect(district.datasets).toHaveLength(22);
    expect(district.departments.filter(({ kind }) => kind === 'subdistrict').map(({ name }) => name.zh)).toEqual(
      expect.arrayContaining(['观湖', '民治', '龙华', '大浪', '福城', '观澜'].map((name) => `${name}街道办事处`)),
    );
  });

  it('hold every sharing class, and a basis wherever one is needed', async () => {
    const { datasets } = await parse();
    const classes = datasets.map(({ definition }) => definition.sharing.class);
    for (const name of ['unconditional', 'conditional', 'not-shared']) expect(classes).toContain(name);
    const bound = datasets.filter(({ definition }) => definition.sharing.class !== 'unconditional');
    expect(bound.filter(({ definition }) => !definition.sharing.basis)).toEqual([]);
  });

  it('are refused when a department is taken away', async () => {
    const files = await readDistrictFiles();
    const departments = files['departments.yaml']!.replace('code: health\n', 'code: wellness\n');
    const { problems } = parseDistrict({ ...files, 'departments.yaml': departments });
    expect(problems.map(({ at }) => at?.split(':')[0])).toContain('sources/health.yaml');
  });

  it('give every property a Chinese title and an English description', async () => {
    const { datasets } = await parse();
    for (const { definition, contract } of datasets) {
      for (const [name, property] of Object.entries(contract.properties)) {
        const place = `${definition.code} ${name}`;
        expect(property, place).toMatchObject({ title: expect.stringMatching(/\p{Script=Han}/u) });
        expect(property, place).toMatchObject({ description: expect.stringMatching(/[A-Za-z]/) });
      }
      expect(contract.required, definition.code).toEqual(Object.keys(contract.properties));
    }
  });

  it('name one database a source, in databases/index.json', async () => {
    const { sources } = await parse();
    const { databases } = await readDatabaseIndex();
    const pairs = (list: { department: string }[], code: (entry: never) => string) =>
      list.map((entry) => `${code(entry as never)} of ${entry.department}`).sort();
    expect(pairs(databases, ({ source }: { source: string }) => source)).toEqual(
      pairs(sources, ({ code }: { code: string }) => code),
    );
  });
});

describe('the administrative divisions', () => {
  it('are Guangdong down to the 6 streets and 113 communities of Longhua', async () => {
    const divisions = await readDivisions();
    const codes = new Set(divisions.map(({ code }) => code));
    expect(codes.size).toBe(divisions.length);
    expect(divisions.filter(({ parent }) => parent && !codes.has(parent))).toEqual([]);
    const ofLonghua = divisions.filter(({ code }) => code.startsWith('440309'));
    expect(ofLonghua.filter(({ level }) => level === 'street')).toHaveLength(6);
    expect(ofLonghua.filter(({ level }) => level === 'community')).toHaveLength(113);
  });

  it('are in divisions.sql as the documented command writes it', async () => {
    const committed = await readFile(join(districtFolder, 'databases', 'divisions.sql'), 'utf8');
    expect(committed).toBe(divisionsSql(await readDivisions()));
  });

  it('never hold the county that synthetic identifiers use', async () => {
    const divisions = await readDivisions();
    expect(divisions.filter(({ code }) => code.startsWith('440399'))).toEqual([]);
  });
});
