/** The district's policy profile: deadlines differ between cities and change with law, so they are data. */
import { HuitongError } from '../lib/errors.ts';
import { addWorkingDays, type CivilDate, nextDay } from '../lib/pure/calendar.ts';
import { civilDateIn, instantOf } from '../lib/zoned-time.ts';
import type { DistrictDefinition } from '../schemas/generated/district.ts';
import type { PolicyDefinition } from '../schemas/generated/policy.ts';
import type { Catalog } from './database.ts';

export type Duty = keyof PolicyDefinition['workingDays'];

export interface Deadline {
  /** The last day, in the policy's time zone. */
  date: CivilDate;
  /** The first moment at which it is too late. */
  at: Date;
  /** Computed over days whose holidays are not announced yet; to be computed again. */
  provisional: boolean;
  /** Shown beside the deadline: which version of the policy it follows. */
  policyVersion: string;
}

/** The policy of the newest apply. Throws NOT_FOUND before the first. */
export async function currentPolicy(catalog: Catalog): Promise<PolicyDefinition> {
  const latest = await catalog('district_apply')
    .orderBy('sequence', 'desc')
    .first<{ policy: PolicyDefinition } | undefined>('policy');
  if (latest === undefined)
    throw new HuitongError('NOT_FOUND', '尚未导入任何区的定义 · no district has been applied yet');
  return latest.policy;
}

/** The department that approves the catalog and mediates, by the newest apply. Throws NOT_FOUND before the first. */
export async function supervisingDepartment(catalog: Catalog): Promise<string> {
  const latest = await catalog('district_apply')
    .orderBy('sequence', 'desc')
    .first<{ definition: DistrictDefinition } | undefined>('definition');
  if (latest === undefined)
    throw new HuitongError('NOT_FOUND', '尚未导入任何区的定义 · no district has been applied yet');
  return latest.definition.supervisor;
}

/** Pure. The day of `from` does not count; a deadline is the end of its day in the policy's time zone. */
export function deadlineOf(policy: PolicyDefinition, duty: Duty, from: Date): Deadline {
  const { timeZone, workingDays, version } = policy;
  const { date, provisional } = addWorkingDays(civilDateIn(timeZone, from), workingDays[duty]);
  return { date, at: instantOf(nextDay(date), '00:00', timeZone), provisional, policyVersion: version };
}
