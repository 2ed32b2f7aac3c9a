/** Departments, as the district's files register them. */
import { HuitongError } from '../lib/errors.ts';
import type { Department } from '../schemas/generated/api.ts';
import type { Catalog } from './database.ts';
import type { DepartmentRow } from './rows.ts';

/** Every active department, by code; a district has some fifty, so there are no pages. */
export async function listDepartments(catalog: Catalog): Promise<Department[]> {
  const rows = await counted(catalog).where('department.state', 'active').orderBy('department.code');
  return rows.map(toDepartment);
}

/** Active or retired. Throws NOT_FOUND. */
export async function getDepartment(catalog: Catalog, code: string): Promise<Department> {
  const [row] = await counted(catalog).where('department.code', code);
  if (row === undefined) throw new HuitongError('NOT_FOUND', '没有该部门 · there is no such department', { at: code });
  return toDepartment(row);
}

type CountedRow = DepartmentRow & { datasets: number };

function counted(catalog: Catalog) {
  const datasets = `(select count(*) from dataset where dataset.department = department.code and dataset.state = 'active') as datasets`;
  return catalog('department').select<CountedRow[]>('department.*', catalog.raw(datasets));
}

function toDepartment({ code, definition, state, datasets }: CountedRow): Department {
  const { name, kind, creditCode } = definition;
  return {
    code,
    name,
    ...(kind === undefined ? {} : { kind }),
    ...(creditCode === undefined ? {} : { creditCode }),
    state,
    datasets,
  };
}
