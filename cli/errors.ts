/**
 * Exit codes of every command:
 *   0  done          1  refused or failed (the problem says why)
 *   2  wrong usage   3  the exchange cannot be reached      130  interrupted
 */
import type { Problem } from '../lib/errors.ts';

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

/** What happened, where, and what to do; each finding on a line of its own. */
export function describe(error: CommandError): string {
  const { problem } = error;
  if (!problem) return error.message;
  const lines = [`${problem.code}: ${problem.detail ?? problem.title}`];
  if (problem.at) lines.push(`  at ${problem.at}${problem.pointer ? ` ${problem.pointer}` : ''}`);
  for (const finding of problem.errors ?? []) {
    const place = [finding.at, finding.pointer].filter(Boolean).join(' ');
    lines.push(`  - ${place ? `${place}: ` : ''}${finding.message} (${finding.code})`);
  }
  if (problem.hint) lines.push(`  → ${problem.hint}`);
  if (problem.code === 'INTERNAL' && problem.instance) lines.push(`  request ${problem.instance}`);
  return lines.join('\n');
}
