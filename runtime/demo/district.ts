/** Applies the district's definitions through the API, as `huitong apply` does. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse as parseYaml } from 'yaml';
import { HuitongError } from '../../lib/errors.ts';
import { readDistrictFolder } from '../../schemas/definition/read-folder.ts';
import type { Api } from './api.ts';

/** The department that supervises the exchange: its token may apply a district. */
export async function supervisorOf(district: string): Promise<string> {
  const { supervisor } = parseYaml(await readFile(join(district, 'district.yaml'), 'utf8')) as { supervisor: string };
  return supervisor;
}

/** `overlay`: files that take the place of the folder's. Returns how many definitions were added, changed or removed; 0 where the catalog matches already. */
export async function applyDistrict(district: string, api: Api, overlay: Record<string, string> = {}): Promise<number> {
  const files = { ...(await readDistrictFolder(district)), ...overlay };
  const plan = await api.post<Plan>('/district/plan', { files });
  const [problem] = plan.problems;
  if (problem !== undefined) {
    throw new HuitongError(
      'CONFIG_INVALID',
      `the district has ${plan.problems.length} mistakes, first: ${problem.message}`,
      {
        at: problem.file,
        hint: 'See them all with `npx huitong apply districts/longhua --plan`.',
      },
    );
  }
  if (plan.empty) return 0;
  await api.post('/district/apply', { files, planDigest: plan.digest });
  return plan.added.length + plan.changed.length + plan.removed.length;
}

interface Plan {
  digest: string;
  empty: boolean;
  added: unknown[];
  changed: unknown[];
  removed: unknown[];
  problems: { message: string; file?: string }[];
}
