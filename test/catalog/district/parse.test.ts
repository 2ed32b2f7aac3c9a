import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { DistrictFiles } from '../../../catalog/district/district.ts';
import { parseDistrict, parseDistrictOrThrow } from '../../../catalog/district/parse.ts';
import { districtFileKind } from '../../../schemas/definition/layout.ts';
import { changed, contract, districtFiles, withContract } from '../support.ts';

const dataset = 'datasets/health/vaccinations.yaml';
const contractFile = 'datasets/health/vaccinations.contract.json';

function problemsOf(files: DistrictFiles) {
  const { district, problems } = parseDistrict(files);
  expect(district === null).toBe(problems.length > 0);
  return problems.map(({ code, at, pointer }) => ({ code, at, pointer }));
}

/** The definition with `text` appended: YAML members at the end of the file. */
function appended(path: string, text: string): DistrictFiles {
  const files = districtFiles();
  return { ...files, [path]: `${files[path]}${text}` };
}

test('a district that is right is read: contracts with digest, everything by code', () => {
  const { district, problems } = parseDistrict(districtFiles());
  expect(problems).toEqual([]);
  expect(district?.departments.map(({ code }) => code)).toEqual(['data', 'health', 'police']);
  expect(district?.datasets.map(({ definition }) => definition.code)).toEqual([
    'health.clinics',
    'health.vaccinations',
  ]);
  expect(district?.datasets[1]).toMatchObject({
    contract,
    contractDigest: expect.stringMatching(/^[0-9a-f]{64}$/),
    contractAt: `${contractFile}:2`,
  });
});

test('the order of members does not change a contract’s digest, a changed member does', () => {
  const digest = (document: unknown) => parseDistrictOrThrow(withContract(document)).datasets[1]?.contractDigest;
  const { version, ...rest } = contract;
  expect(digest({ ...rest, version })).toBe(digest(contract));
  expect(digest({ ...contract, title: 'x' })).not.toBe(digest(contract));
});

test('the district of Longhua is right', async () => {
  const root = join(import.meta.dirname, '../../../districts/longhua');
  const paths = (await readdir(root, { recursive: true })).filter((path) => districtFileKind(path) !== undefined);
  const files = Object.fromEntries(
    await Promise.all(paths.map(async (path) => [path, await readFile(join(root, path), 'utf8')] as const)),
  );
  const { district, problems } = parseDistrict(files);
  expect(problems).toEqual([]);
  expect(district?.departments).toHaveLength(48);
});

describe('each mistake is found with code, file, line and pointer', () => {
  const cases: [string, DistrictFiles, { code: string; at: string; pointer?: string }][] = [
    [
      'an unknown member',
      changed(dataset, 'keywords:', 'keyword:'),
      { code: 'DEFINITION_INVALID', at: `${dataset}:4`, pointer: '/keyword' },
    ],
    [
      'a missing member',
      changed(dataset, 'updateCycle: daily\n', ''),
      { code: 'DEFINITION_INVALID', at: `${dataset}:1`, pointer: '' },
    ],
    [
      'a missing English name',
      changed('departments.yaml', ', en: Police', ''),
      { code: 'DEFINITION_INVALID', at: 'departments.yaml:7', pointer: '/2/name' },
    ],
    [
      'a value outside its list',
      changed(dataset, 'daily', 'hourly'),
      { code: 'DEFINITION_INVALID', at: `${dataset}:12`, pointer: '/updateCycle' },
    ],
    [
      'a code that YAML reads as a number',
      changed('district.yaml', '"440309"', '440309'),
      { code: 'ID_MUST_BE_STRING', at: 'district.yaml:3', pointer: '/divisionCode' },
    ],
    [
      'an unreadable file',
      changed(dataset, 'table: {', 'table: {{'),
      { code: 'DEFINITION_INVALID', at: `${dataset}:7` },
    ],
    [
      'an alias',
      changed('sources/health-his.yaml', 'url: env:HEALTH_URL', 'url: &u env:A\n  other: *u'),
      { code: 'DEFINITION_INVALID', at: 'sources/health-his.yaml:1', pointer: '' },
    ],
    ['a member given twice', appended(dataset, 'openness: open\n'), { code: 'JSON_AMBIGUOUS', at: `${dataset}:17` }],
    [
      'a number that loses digits',
      appended('sources/health-his.yaml', '  port: 9007199254740993\n'),
      { code: 'JSON_AMBIGUOUS', at: 'sources/health-his.yaml:7', pointer: '/connection/port' },
    ],
    [
      'a question about a property that there is not',
      appended(dataset, 'verifications:\n  named: { title: { zh: 名, en: n }, where: { isNull: { column: 姓氏 } } }\n'),
      { code: 'REFERENCE_UNKNOWN', at: `${dataset}:18`, pointer: '/verifications/named/where' },
    ],
    [
      'a question that matches a property that there is not',
      appended(
        dataset,
        'verifications:\n  named: { title: { zh: 名, en: n }, matching: [姓氏], where: { isNull: { column: record_id } } }\n',
      ),
      { code: 'REFERENCE_UNKNOWN', at: `${dataset}:18`, pointer: '/verifications/named/matching/0' },
    ],
    [
      'a question that is no filter',
      appended(dataset, "verifications:\n  named: { title: { zh: 名, en: n }, where: { sql: '1=1' } }\n"),
      { code: 'DEFINITION_INVALID', at: `${dataset}:18`, pointer: '/verifications/named/where' },
    ],
    [
      'an unknown source',
      changed(dataset, 'source: health-his', 'source: health-hsi'),
      { code: 'REFERENCE_UNKNOWN', at: `${dataset}:5`, pointer: '/source' },
    ],
    [
      'an unknown department',
      changed('sources/health-his.yaml', 'department: health', 'department: heath'),
      { code: 'REFERENCE_UNKNOWN', at: 'sources/health-his.yaml:2', pointer: '/department' },
    ],
    [
      'another department’s source',
      changed('sources/health-his.yaml', 'department: health', 'department: police'),
      { code: 'DEFINITION_INVALID', at: `${dataset}:5`, pointer: '/source' },
    ],
    [
      'an unknown supervisor',
      changed('district.yaml', 'supervisor: data', 'supervisor: date'),
      { code: 'REFERENCE_UNKNOWN', at: 'district.yaml:5', pointer: '/supervisor' },
    ],
    [
      'an unknown related dataset',
      changed('datasets/health/clinics.yaml', '[health.vaccinations]', '[health.vaccines]'),
      { code: 'REFERENCE_UNKNOWN', at: 'datasets/health/clinics.yaml:12', pointer: '/related/0' },
    ],
    [
      'an item that the contract lacks',
      changed(dataset, '  身份证号:', '  身份证:'),
      { code: 'REFERENCE_UNKNOWN', at: `${dataset}:16`, pointer: '/items/身份证' },
    ],
    [
      'columns without the key',
      appended(dataset, 'columns: [dose]\n'),
      { code: 'DEFINITION_INVALID', at: `${dataset}:17`, pointer: '/columns' },
    ],
    [
      'a department given twice',
      appended('departments.yaml', '- code: police\n  name: { zh: 公安, en: Police }\n'),
      { code: 'DUPLICATE_CODE', at: 'departments.yaml:8', pointer: '/3/code' },
    ],
    [
      'a wrong check character',
      changed('departments.yaml', 'Y43', 'Y44'),
      { code: 'CHECKSUM', at: 'departments.yaml:5', pointer: '/1/creditCode' },
    ],
    [
      'a class without its basis',
      changed(dataset, '  basis: { zh: 疫苗管理法, en: Vaccine Administration Law }\n', ''),
      { code: 'CLASS_BASIS_MISSING', at: `${dataset}:8`, pointer: '/sharing' },
    ],
    [
      'an item’s class without its basis',
      changed(dataset, 'mask: partial', 'sharing: { class: not-shared }'),
      { code: 'CLASS_BASIS_MISSING', at: `${dataset}:16`, pointer: '/items/身份证号/sharing' },
    ],
    [
      'a cron field out of range',
      changed(dataset, '30 2 *', '30 24 *'),
      { code: 'DEFINITION_INVALID', at: `${dataset}:13`, pointer: '/schedule/cron' },
    ],
    [
      'a time zone that is none',
      appended(dataset, 'timeZone: Asia/Longhua\n'),
      { code: 'DEFINITION_INVALID', at: `${dataset}:17`, pointer: '/timeZone' },
    ],
    [
      'a source’s window in a time zone that is none',
      appended(
        'sources/health-his.yaml',
        'limits:\n  windows: [{ notBefore: "20:00", notAfter: "06:00", timeZone: Asia/Longhua }]\n',
      ),
      { code: 'DEFINITION_INVALID', at: 'sources/health-his.yaml:8', pointer: '/limits/windows/0/timeZone' },
    ],
    [
      'a source’s limit of one connection, with which nothing is read beside a snapshot',
      appended('sources/health-his.yaml', 'limits: { connections: 1 }\n'),
      { code: 'DEFINITION_INVALID', at: 'sources/health-his.yaml:7', pointer: '/limits/connections' },
    ],
    [
      'a bidirectional control in a name',
      changed(dataset, 'Vaccination records', 'Vaccination \u202Esdrocer'),
      { code: 'ENCODING', at: `${dataset}:2`, pointer: '/title/en' },
    ],
    [
      'a code that is not its path’s',
      changed(dataset, 'health.vaccinations', 'health.vaccination'),
      { code: 'PATH', at: `${dataset}:1`, pointer: '/code' },
    ],
    ['a file outside the layout', { ...districtFiles(), '../evil.yaml': '' }, { code: 'PATH', at: '../evil.yaml' }],
  ];
  test.each(cases)('%s', (_name, files, expected) => {
    expect(problemsOf(files)).toContainEqual({ pointer: undefined, ...expected });
  });

  test('a required file that is missing', () => {
    const { 'policy.yaml': _policy, ...files } = districtFiles();
    expect(problemsOf(files)).toEqual([{ code: 'DEFINITION_INVALID', at: 'policy.yaml', pointer: undefined }]);
  });

  describe('an item that another department is the source of', () => {
    const police = {
      'sources/police-db.yaml':
        'code: police-db\ndepartment: police\nkind: postgres\ntitle: { zh: 库, en: Database }\nconnection: { url: env:POLICE_URL }\n',
    };
    const source = changed(dataset, 'en: Resident ID } }', 'en: Resident ID }, authoritativeFor: resident.id-number }');
    const copied = (items: string): DistrictFiles => ({
      ...{ ...source, ...police },
      'datasets/police/cases.yaml': source['datasets/health/clinics.yaml']!.replaceAll('health.clinics', 'police.cases')
        .replace('source: health-his', 'source: police-db')
        .concat(items),
      'datasets/police/clinics.contract.json': source['datasets/health/clinics.contract.json']!.replace(
        '"properties":{',
        '"properties":{"holder":{"type":"string","format":"resident-id","title":"身份证号"},',
      ),
    });

    test('is refused where it is alike in format and title, and passes with the reason why', () => {
      expect(problemsOf(copied(''))).toMatchObject([{ code: 'ELEMENT_DUPLICATE' }]);
      const cited =
        'items: { holder: { citesDuplicate: { of: resident.id-number, reason: { zh: 引用, en: Refers } } } }\n';
      expect(problemsOf(copied(cited))).toEqual([]);
    });

    test('is refused where it says itself which element it holds', () => {
      const said = copied(
        'items: { record_id: { element: resident.id-number }, holder: { title: { zh: 证, en: ID } } }\n',
      );
      expect(problemsOf(said)).toMatchObject([{ code: 'ELEMENT_DUPLICATE', pointer: '/items/record_id' }]);
    });

    test('cites a source that there is', () => {
      const cited =
        'items: { holder: { title: { zh: 证, en: ID }, citesDuplicate: { of: resident.name, reason: { zh: 引用, en: Refers } } } }\n';
      expect(problemsOf(copied(cited))).toMatchObject([
        { code: 'REFERENCE_UNKNOWN', pointer: '/items/holder/citesDuplicate/of' },
      ]);
    });

    test('is its own department’s to use', () => {
      expect(problemsOf(source)).toEqual([]);
    });
  });

  test('a second authoritative source of one element; one is allowed', () => {
    const claim = 'items: { record_id: { authoritativeFor: vaccine.record } }\n';
    const one = appended('datasets/health/clinics.yaml', claim);
    expect(problemsOf(one)).toEqual([]);
    const two = { ...one, [dataset]: `${one[dataset]}  record_id: { authoritativeFor: vaccine.record }\n` };
    expect(problemsOf(two)).toEqual([
      { code: 'SOURCE_CONFLICT', at: `${dataset}:17`, pointer: '/items/record_id/authoritativeFor' },
    ]);
  });

  test('several mistakes are reported at once, by file and line', () => {
    const files = changed('district.yaml', 'supervisor: data', 'supervisor: date', changed(dataset, 'daily', 'hourly'));
    expect(problemsOf(files).map(({ at }) => at)).toEqual([`${dataset}:12`, 'district.yaml:5']);
    expect(() => parseDistrictOrThrow(files)).toThrow(
      expect.objectContaining({ code: 'DEFINITION_INVALID', at: `${dataset}:12`, problems: expect.any(Array) }),
    );
  });
});

describe('a contract', () => {
  test.each([
    ['not JSON', '{"version": }', 'JSON_INVALID', `${contractFile}:1`],
    ['a member twice', '{\n"version": "1.0.0",\n"version": "1.0.0"}', 'JSON_AMBIGUOUS', `${contractFile}:3`],
    [
      'a remote reference',
      JSON.stringify({ ...contract, $ref: 'http://example.org/' }),
      'SCHEMA_UNSAFE',
      `${contractFile}:1`,
    ],
    ['no semantic version', JSON.stringify({ ...contract, version: '1.0' }), 'CONTRACT_INVALID', `${contractFile}:1`],
    ['no key', JSON.stringify({ ...contract, key: [] }), 'CONTRACT_INVALID', `${contractFile}:1`],
    [
      'a key that is no property',
      JSON.stringify({ ...contract, key: ['id'] }, null, 1),
      'CONTRACT_INVALID',
      `${contractFile}:4`,
    ],
    [
      'a required that is no property',
      JSON.stringify({ ...contract, required: ['id'] }),
      'CONTRACT_INVALID',
      `${contractFile}:1`,
    ],
    ['not a row', JSON.stringify({ ...contract, type: 'array' }), 'CONTRACT_INVALID', `${contractFile}:1`],
  ])('with %s', (_name, text, code, at) => {
    const found = problemsOf({ ...districtFiles(), [contractFile]: text });
    expect(found).toContainEqual(expect.objectContaining({ code, at }));
  });

  test('that no dataset names is a mistake', () => {
    const files = { ...districtFiles(), 'datasets/health/other.contract.json': JSON.stringify(contract) };
    expect(problemsOf(files)).toEqual([
      { code: 'REFERENCE_UNKNOWN', at: 'datasets/health/other.contract.json', pointer: '' },
    ]);
  });
});

describe('secrets', () => {
  const source = 'sources/health-his.yaml';
  const canary = 'hunter2-canary';
  const connection = (yaml: string) => changed(source, '  url: env:HEALTH_URL\n', yaml);
  test.each([
    [`  password: ${canary}\n`, '/connection/password'],
    [`  apiKey: ${canary}\n`, '/connection/apiKey'],
    [`  sas_token: ${canary}\n`, '/connection/sas_token'],
    [`  tls:\n    key: ${canary}\n`, '/connection/tls/key'],
    ['  pwd: 123456\n', '/connection/pwd'],
    [`  url: postgres://reader:${canary}@db/health\n`, '/connection/url'],
    [`  dsn: host=db password=${canary}\n`, '/connection/dsn'],
    [`  urls: ["https://db/?token=${canary}"]\n`, '/connection/urls/0'],
  ])('written out are refused without being repeated: %s', (yaml, pointer) => {
    const { problems } = parseDistrict(connection(yaml));
    expect(problems).toEqual([expect.objectContaining({ code: 'SECRET_INLINE', pointer })]);
    expect(JSON.stringify(problems)).not.toContain(canary);
  });
  test.each([
    '  password: env:HEALTH_PASSWORD\n',
    '  key: file:/run/secrets/key\n',
    '  url: postgres://reader@db/health\n',
    '  keyspace: health\n',
    '  publicKey: abc\n',
  ])('that are references, and what only looks alike, pass: %s', (yaml) => {
    expect(problemsOf(connection(yaml))).toEqual([]);
  });
});
