/** Which commands are whose: the order of `huitong --help`, and what `huitong` alone shows. */
import type { Command } from 'commander';
import stringWidth from 'string-width';
import manifest from '../package.json' with { type: 'json' };

export const version = manifest.version;

const commandsByPerson: Record<string, string[]> = {
  '数据工程师 data engineer': ['source', 'dataset', 'publish', 'runs', 'run', 'cancel', 'quarantine', 'schedule'],
  '经办人、共享专员 officer': [
    ...[
      'read',
      'changes',
      'versions',
      'version',
      'lookup',
      'verify-lookup',
      'request',
      'grant',
      'duties',
      'case',
      'entry',
      'correction',
    ],
    ...['rating', 'recall', 'recalls'],
  ],
  '管理员、审计员 administrator, auditor': ['apply', 'person', 'token', 'audit', 'metering', 'subject'],
  '运维员 operator': ['health'],
  '所有人 everybody': ['login', 'logout', 'whoami', 'completion', 'help'],
};

/** Orders the commands and gives each its heading. */
export function groupCommands(program: Command): void {
  const headingOf = (command: Command) =>
    Object.entries(commandsByPerson).find(([, names]) => names.includes(command.name()))?.[0];
  for (const command of program.commands) command.helpGroup(headingOf(command) ?? 'Commands');
}

/** In few lines: what there is for whom. */
export function overview(program: Command): string {
  const width = Math.max(...Object.keys(commandsByPerson).map((person) => stringWidth(person)));
  const lines = Object.entries(commandsByPerson).map(
    ([person, names]) => `  ${person}${' '.repeat(width - stringWidth(person))}  ${names.join(' ')}`,
  );
  return [
    `${program.description()} (${version})`,
    '',
    ...lines,
    '',
    '`huitong <command> --help` tells what it does, `huitong --help` all of them with examples.',
  ].join('\n');
}
