/**
 * Exit codes of every command:
 *   0  done          1  refused or failed (the problem says why)
 *   2  wrong usage   3  the exchange cannot be reached      130  interrupted
 */
import { errorCodes } from '../lib/error-codes.ts';
import type { HuitongError, Problem } from '../lib/errors.ts';
import { inLanguage, type Language } from '../lib/language.ts';

export const exitCodes = { done: 0, failed: 1, usage: 2, unreachable: 3, interrupted: 130 } as const;

export interface RemoteProblem {
  code: string;
  status: number;
  title: string;
  detail?: string;
  hint?: string;
  at?: string;
  pointer?: string;
  instance?: string;
  errors?: Problem[];
}

/** A failure that is shown to the person as it is, without a stack. */
export class CommandError extends Error {
  readonly exitCode: number;
  readonly problem?: RemoteProblem;

  constructor(message: string, exitCode: number = exitCodes.failed, problem?: RemoteProblem) {
    super(message);
    this.exitCode = exitCode;
    this.problem = problem;
  }
}

/** What the command itself found, told as the exchange would. */
export function foundHere({ code, status, message, hint, at }: HuitongError): CommandError {
  const { title, hint: usual } = errorCodes[code];
  return new CommandError(message, exitCodes.failed, {
    ...{ code, status, at },
    title: `${title.zh} · ${title.en}`,
    detail: message,
    hint: hint === usual.en ? `${usual.zh} · ${usual.en}` : hint,
  });
}

/** What happened, where, and what to do; of several findings each on a line of its own. */
export function describe(error: CommandError, language: Language): string {
  const { problem } = error;
  if (!problem) return inLanguage(error.message, language);
  const lines = [`${problem.code}: ${toldIn(language, problem)}`];
  if (problem.at) lines.push(`  at ${problem.at}${problem.pointer ? ` ${problem.pointer}` : ''}`);
  const { errors = [] } = problem;
  for (const finding of errors.length > 1 || errors.some(({ at }) => at !== undefined) ? errors : []) {
    const place = [finding.at, finding.pointer].filter(Boolean).join(' ');
    lines.push(`  - ${place ? `${place}: ` : ''}${finding.message} (${finding.code})`);
  }
  if (problem.hint) lines.push(`  → ${inLanguage(problem.hint, language)}`);
  if (problem.code === 'INTERNAL' && problem.instance) lines.push(`  request ${problem.instance}`);
  return lines.join('\n');
}

/** A detail that there is in English only stands behind the code's own words. */
function toldIn(language: Language, problem: RemoteProblem): string {
  const title = inLanguage(problem.title, language);
  if (problem.detail === undefined) return title;
  const detail = inLanguage(problem.detail, language);
  return language === 'en' || /\p{Script=Han}/u.test(detail) ? detail : `${title} (${detail})`;
}
