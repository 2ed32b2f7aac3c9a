/** Writes docs/reference/corrections.md from the transition tables of cases. `npm run generate`; a test diffs it. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  caseDuties,
  caseDutyOf,
  caseKinds,
  caseParties,
  caseStateNames,
  caseStates,
  finalCaseStates,
  isWindow,
} from '../lib/pure/case-states.ts';
import { caseActions, caseTransition } from '../lib/pure/case-transitions.ts';

export const caseReferencePath = join(import.meta.dirname, '..', 'docs', 'reference', 'corrections.md');

/** The page's text. */
export function caseReference(): string {
  return `# Corrections, ratings, recalls, destruction 更正、评价、撤回、销毁

<!-- Generated from lib/pure/case-transitions.ts by \`npm run generate\`. Do not edit. -->

What departments owe each other, after data has been shared or about the catalog, is a **case** 事项: it has a state, one
open duty at most, and a deadline in working days of the policy profile. One Temporal workflow keeps its time (\`case/<id>\`); the catalog
holds the truth, and each step is one transaction with its event, its duty and its leaf in the audit log. Nothing is
decided by silence: at the policy's shares of the time a reminder is recorded, at the deadline the duty is overdue, and
the supervisor sees it.

| kind | 类别 | how it begins |
| --- | --- | --- |
| correction | ${caseKinds.correction.zh} | \`POST /v1/corrections\`: a department that may read the item says that it is wrong in one row of one version |
| rating | ${caseKinds.rating.zh} | \`POST /v1/ratings\` with one or two stars |
| confirmation | ${caseKinds.confirmation.zh} | a version is recalled, or corrected by a later one: one case for each other department that has read it, found in the audit log |
| destruction | ${caseKinds.destruction.zh} | a grant that answers no request ends, and was ever used. A grant that answers a request is asked about by the request (DESTRUCTION_PENDING, [requests.md](requests.md)) |
| entry-publication | ${caseKinds['entry-publication'].zh} | \`POST /v1/entries\`: a department proposes an entry of the catalog ([catalog-entries.md](catalog-entries.md), as the next two) |
| entry-revocation | ${caseKinds['entry-revocation'].zh} | \`POST /v1/datasets/{code}/revoke\`: its sharing officer wants an entry taken back |
| entry-update | ${caseKinds['entry-update'].zh} | a run finds that the source has another shape than the entry says |

\`GET /v1/duties\` (\`huitong duties\`) lists what is owed over requests and cases, the most urgent first: one's own
department's, or everybody's for the supervisor and the auditor. \`?overdue=true\`, \`?of=correction\`, \`?department=…\`.
\`GET /v1/cases/{id}\` (\`huitong case show\`) tells each caller what they may do now; \`POST /v1/cases/{id}/actions\`
(\`huitong case …\`) does it.

## Corrections 更正

The row's key and what the item should be are personal data. They arrive in a request's body, are sealed to the exchange's
key where they are kept, and are opened for the provider's sharing officer alone (\`GET /v1/corrections/{id}/claim\`),
after the look is in the log. In logs, errors, workflow histories and leaves there is the key's keyed hash only. Whether
the row exists is not told to who files. \`huitong correction file\` reads a JSON file or standard input, so that nothing
of it stands in a shell's history. The \`reason\` is shown to both departments: personal data belongs into the claim.

A correction is FIXED_IN a version when the row differs there, in that item, from the version that the correction names.
The exchange compares each new version by itself (within a minute of its publication, on a server), or when the provider
names one (\`huitong case fixed <case> --in 4\`). Where the rows do not show it (the parts are gone, the version was right
after all) the provider says so with a reason, and the case shows \`fixShown: false\`. Then every other department that had
read a version from the named one to the last before the mended one gets a confirmation case.

## Ratings 评价

One to five stars with reasons, once for each grant and version, by a department that has read the version and is not its
provider. Up to two stars want an answer. The average over all versions is in \`GET /v1/datasets/{code}\` (\`rating\`).

## Recalls 撤回

\`POST /v1/datasets/{code}/versions/{n}/recall\` (\`huitong recall\`), by the provider's sharing officer, with a reason that
every reader sees. From that moment no read of the version begins: \`VERSION_RECALLED\` (410), in every way to read, for
the provider too; its metadata stay. **The current pointer does not move**: where the recalled version is the current one,
reading "current" is refused as well, and the message names the newest version that can be asked for by its number, until
a new version is published. The same data published again is no new version, and stays recalled. A download that is
running is not broken off: its department is among those who must confirm. \`GET /v1/recalls\` shows how far the readers are;
the version's own resource, and its dataset's where it is the current one, say \`recalled\` with reason and time (\`huitong
dataset versions\`).

## States 状态

| state | 状态 | meaning | duty 办理事项 |
| --- | --- | --- | --- |
${caseStateNames.map(stateRow).join('\n')}

## Actions 办理

| action | 办理 | of | from | to | by | must bring |
| --- | --- | --- | --- | --- | --- | --- |
${caseActions.map(actionRow).join('\n')}

¹ by nobody who spoke for the department that filed it (of an entry: proposed or submitted it), whatever other office they
hold.

## Duties 期限

Working days of the policy profile, to the end of the day in its time zone; counted again when the policy or the calendar
changes, and each week where holidays are not announced yet (provisional). A window merely runs out.

| duty | 事项 | whose | days by | |
| --- | --- | --- | --- | --- |
${Object.entries(caseDuties)
  .map(([duty, { zh, en, of, days }]) => {
    const window = isWindow(duty as keyof typeof caseDuties) ? ' (a window)' : '';
    return `| ${duty} | ${zh} | ${caseParties[of].zh} ${caseParties[of].en} | \`${days}\` | ${en}${window} |`;
  })
  .join('\n')}

## Who is which party 办理人

| party | 办理人 | |
| --- | --- | --- |
${Object.entries(caseParties)
  .map(([party, { zh, en }]) => `| ${party} | ${zh} | ${en} |`)
  .join('\n')}

\`officer\` and \`sharing-officer\` speak for a department that filed a case or holds copies, \`engineer\` and
\`sharing-officer\` for one that proposes an entry; \`sharing-officer\` for the provider; \`supervisor\` for the
supervising department.
`;
}

function stateRow(state: (typeof caseStateNames)[number]): string {
  const { zh, en } = caseStates[state];
  const duty = caseDutyOf(state) ?? (finalCaseStates.includes(state) ? 'none: the end' : 'the exchange’s, at once');
  return `| ${state} | ${zh} | ${en} | ${duty} |`;
}

function actionRow(action: (typeof caseActions)[number]): string {
  const { zh, kinds, from, to, by, needs = [], anotherPerson, when } = caseTransition(action);
  const who = `${by.join(', ')}${anotherPerson ? ' ¹' : ''}${when === undefined ? '' : ` (${when})`}`;
  return `| ${action} | ${zh} | ${kinds.join(', ')} | ${from.join(', ')} | ${to} | ${who} | ${needs.join(', ')} |`;
}

if (process.argv[1] === import.meta.filename) await writeFile(caseReferencePath, caseReference());
