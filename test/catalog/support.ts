/** A small district that is right, to be made wrong in one place by each test. */
import { expect } from 'vitest';
import { type Catalog, migrate, openCatalog } from '../../catalog/database.ts';
import { applyDistrict } from '../../catalog/district/apply.ts';
import type { DistrictFiles } from '../../catalog/district/district.ts';
import { parseDistrict } from '../../catalog/district/parse.ts';
import { planDistrict } from '../../catalog/district/plan.ts';
import type { ContractDocument } from '../../contracts/contract.ts';
import { withDatabase } from '../support/postgres.ts';

export const contract: ContractDocument = {
  version: '1.0.0',
  key: ['record_id'],
  type: 'object',
  properties: {
    record_id: { type: 'string' },
    身份证号: { type: 'string', format: 'resident-id', title: '身份证号' },
    dose: { type: 'integer', minimum: 1 },
  },
  required: ['record_id'],
};

export function districtFiles(): DistrictFiles {
  return {
    'district.yaml': `code: longhua
name: { zh: 龙华区, en: Longhua District }
divisionCode: "440309"
timeZone: Asia/Shanghai
supervisor: data
`,
    'policy.yaml': `version: 1.0.0
title: { zh: 默认规则, en: Default rules }
basis: { zh: 待确认, en: To be confirmed }
timeZone: Asia/Shanghai
workingDays:
  unconditionalAnswer: 1
  conditionalAnswer: 10
  conditionalExtension: 10
  provision: 20
  catalogUpdate: 10
  catalogReview: 2
  correctionAnswer: 10
reminderShares: [0.5, 0.8]
smallCellMin: 5
`,
    'departments.yaml': `- code: data
  name: { zh: 政务服务和数据管理局, en: Data Administration }
- code: health
  name: { zh: 卫生健康局, en: Health Bureau }
  creditCode: 91350100M000100Y43
- code: police
  name: { zh: 公安分局, en: Police }
`,
    'sources/health-his.yaml': `code: health-his
department: health
kind: postgres
title: { zh: 卫生业务库, en: Health database }
connection:
  url: env:HEALTH_URL
`,
    'datasets/health/vaccinations.yaml': `code: health.vaccinations
title: { zh: 疫苗接种记录, en: Vaccination records }
abstract: { zh: 全区接种, en: Vaccinations in the district }
keywords: [疫苗]
source: health-his
table: { schema: public, name: vaccination }
contract: vaccinations.contract.json
sharing:
  class: conditional
  basis: { zh: 疫苗管理法, en: Vaccine Administration Law }
openness: not-open
updateCycle: daily
schedule: { cron: "30 2 * * *" }
securityGrade: important
items:
  身份证号: { sensitivity: sensitive-personal, mask: partial, title: { zh: 身份证号, en: Resident ID } }
`,
    'datasets/health/vaccinations.contract.json': JSON.stringify(contract, null, 2),
    'datasets/health/clinics.yaml': `code: health.clinics
title: { zh: 接种点, en: Clinics }
abstract: { zh: 接种点名录, en: Register of clinics }
source: health-his
table: { name: clinic }
contract: clinics.contract.json
sharing: { class: unconditional }
openness: open
updateCycle: monthly
securityGrade: general
partitions: 1
related: [health.vaccinations]
`,
    'datasets/health/clinics.contract.json': JSON.stringify({
      ...contract,
      properties: { record_id: { type: 'string' } },
    }),
  };
}

/** The files with one text in one file replaced; the text must be there. */
export function changed(path: string, from: string, to: string, files = districtFiles()): DistrictFiles {
  expect(files[path]).toContain(from);
  return { ...files, [path]: files[path]!.replace(from, to) };
}

export function withContract(document: unknown): DistrictFiles {
  return { ...districtFiles(), 'datasets/health/vaccinations.contract.json': JSON.stringify(document, null, 2) };
}

export function parsed(files: DistrictFiles) {
  const { district, problems } = parseDistrict(files);
  expect(problems).toEqual([]);
  return district!;
}

export async function apply(catalog: Catalog, files: DistrictFiles) {
  return applyDistrict(catalog, await planDistrict(catalog, parsed(files)), 'test');
}

export async function withCatalog<T>(body: (catalog: Catalog) => Promise<T>): Promise<T> {
  return withDatabase(async (url) => {
    const catalog = openCatalog(url);
    try {
      await migrate(catalog);
      return await body(catalog);
    } finally {
      await catalog.destroy();
    }
  });
}

/** As after the migrations; much faster than a new database for each test. */
export async function emptyCatalog(catalog: Catalog): Promise<void> {
  await catalog.raw('truncate department, source, dataset, contract, district_apply cascade');
}
