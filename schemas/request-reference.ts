/** Writes docs/reference/requests.md from the transition table of requests. `npm run generate`; a test diffs it. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { duties, dutyOf, parties, requestStateNames, requestStates } from '../lib/pure/request-states.ts';
import { guards, requestActions, transitions } from '../lib/pure/request-transitions.ts';

export const requestReferencePath = join(import.meta.dirname, '..', 'docs', 'reference', 'requests.md');

/** The page's text. */
export function requestReference(): string {
  return `# Requests 申请

<!-- Generated from lib/pure/request-transitions.ts by \`npm run generate\`. Do not edit. -->

A request is one department's wish to use items of another's dataset, for one purpose. Its class is the strictest of
the items asked for: unconditional data is granted as soon as the request is valid, conditional data is decided by the
provider and never by time, data that is not shared stops the request with the basis that the catalog cites.

One Temporal workflow looks after each request (\`request/<id>\`); the catalog holds the truth, and each step is one
transaction with its event, its duty, its grant and its leaf in the audit log. \`GET /v1/requests/{id}\` tells each caller
what they may do now; \`huitong request …\` does it.

## States 状态

| state | 状态 | meaning | duty 办理事项 |
| --- | --- | --- | --- |
${requestStateNames.map(stateRow).join('\n')}

## Actions 办理

\`from\` several states; \`to\` "same" changes nothing but what is recorded, "back" returns to where information was asked
for. The system's actions happen at once, or by timer.

| action | 办理 | from | to | by | must bring | rules | grant |
| --- | --- | --- | --- | --- | --- | --- | --- |
${requestActions.map(actionRow).join('\n')}

## Rules 规则

| rule | 规则 | |
| --- | --- | --- |
${Object.entries(guards)
  .map(([name, { zh, en }]) => `| ${name} | ${zh} | ${en} |`)
  .join('\n')}

## Duties 期限

Working days of the policy profile, to the end of the day in its time zone. A reminder is recorded at each of the
profile's shares of the time; at the deadline the duty is overdue, and the supervisor finds it under
\`GET /v1/requests?overdue=true\`. A window merely runs out. Over holidays that are not announced yet a deadline is
provisional; it is counted again each week, and when the policy or the calendar changes (\`POST /v1/requests/recompute\`).
An extension is counted from the deadline that it extends. An answer to a question begins the provider's time anew.

| duty | 事项 | whose | days by | |
| --- | --- | --- | --- | --- |
${Object.entries(duties)
  .map(([name, duty]) => {
    const { zh, en, of, days } = duty;
    return `| ${name} | ${zh} | ${parties[of].zh} ${parties[of].en} | \`${days}\` | ${en}${'window' in duty ? ' (a window)' : ''} |`;
  })
  .join('\n')}

## Parties 办理人

| party | 办理人 | |
| --- | --- | --- |
${Object.entries(parties)
  .map(([name, { zh, en }]) => `| ${name} | ${zh} | ${en} |`)
  .join('\n')}

A token's role \`officer\` makes its holder the requester for the token's department, \`sharing-officer\` the department's
sharing officer (and the provider, where the data is the department's), \`supervisor\` in the supervising department the
supervisor. Everybody who drafted, changed or answered for a request is its requester as a person, and decides nothing
of it in any office.
`;
}

function stateRow(state: (typeof requestStateNames)[number]): string {
  const { zh, en } = requestStates[state];
  const names = [dutyOf(state, 'conditional'), dutyOf(state, 'unconditional')];
  const duty = [...new Set(names)].filter((name) => name !== undefined).join(' / ');
  return `| ${state} | ${zh} | ${en} | ${duty} |`;
}

function actionRow(action: (typeof requestActions)[number]): string {
  const { zh, from, to, by, needs = [], guards: rules = [], effects = [], when } = transitions[action];
  const who = by.join(', ') + (when === undefined ? '' : ` (${when})`);
  return `| ${action} | ${zh} | ${from.join(', ')} | ${to} | ${who} | ${needs.join(', ')} | ${rules.join(', ')} | ${effects.join(', ')} |`;
}

if (import.meta.filename === process.argv[1]) await writeFile(requestReferencePath, requestReference());
