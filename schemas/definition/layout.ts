/**
 * Where each definition lies in a district's folder (docs/reference/district.md). The client sends these files, the
 * catalog reads them; whatever else the folder holds, such as databases for a demonstration, is not a definition.
 */
export type DistrictFileKind = 'district' | 'policy' | 'departments' | 'source' | 'dataset' | 'contract';

const CODE = '[a-z][a-z0-9]*(?:-[a-z0-9]+)*';
const layout: [DistrictFileKind, RegExp][] = [
  ['district', /^district\.yaml$/],
  ['policy', /^policy\.yaml$/],
  ['departments', /^departments\.yaml$/],
  ['source', new RegExp(`^sources/${CODE}\\.yaml$`)],
  ['dataset', new RegExp(`^datasets/${CODE}/${CODE}\\.yaml$`)],
  ['contract', new RegExp(`^datasets/${CODE}/${CODE}\\.contract\\.json$`)],
];

/** Files that every district has. */
export const requiredDistrictFiles = ['district.yaml', 'policy.yaml', 'departments.yaml'];

/** By the path within the district's folder, with `/`; undefined where no definition lies at such a path. */
export function districtFileKind(path: string): DistrictFileKind | undefined {
  return layout.find(([, pattern]) => pattern.test(path))?.[0];
}

/** The code that a source's or dataset's path gives it: `datasets/health/vaccinations.yaml` → `health.vaccinations`. */
export function codeOfPath(path: string): string {
  return path
    .replace(/^(sources|datasets)\//, '')
    .replace(/\.yaml$/, '')
    .replace('/', '.');
}
