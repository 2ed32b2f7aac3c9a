/** `completion bash`: a script that completes commands and options; read out of the program itself. */
import { Argument, type Command, type Option } from 'commander';
import { print } from '../output.ts';

export function completionCommand(program: Command): void {
  program
    .command('completion')
    .description('a script by which the shell completes commands and options')
    .addArgument(new Argument('<shell>').choices(['bash']))
    .addHelpText('after', '\nExample:\n  $ source <(huitong completion bash)')
    .action(() => print(script(program)));
}

/** Where none of the words fits, the shell completes files. */
function script(program: Command): string {
  const choices = wordsByCommand(program, '').map(([path, words]) => `    '${path}') words='${words.join(' ')}' ;;`);
  const withValue = new Set(optionsOf(program).flatMap(({ required, long }) => (required ? [long?.slice(2)] : [])));
  return `_huitong() {
  local word before= words= path= current=\${COMP_WORDS[COMP_CWORD]}
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    [[ $before == --@(${[...withValue].join('|')}) || $word == -* ]] || path="$path $word"
    before=$word
  done
  while :; do
    case "$path" in
${choices.map((line) => `  ${line}`).join('\n')}
    esac
    [[ -z $words && $path == *' '* ]] || break
    path=\${path% *}
  done
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _huitong huitong`;
}

/** For each command its path, each word behind a space, and what can follow it. */
function wordsByCommand(command: Command, path: string): [path: string, words: string[]][] {
  const names = command.commands.map((sub) => sub.name());
  const options = command.options.map((option) => option.long ?? '').filter(Boolean);
  const subs = command.commands.flatMap((sub) => wordsByCommand(sub, `${path} ${sub.name()}`));
  return [[path, [...names, ...options, '--help']], ...subs];
}

function optionsOf(command: Command): readonly Option[] {
  return [...command.options, ...command.commands.flatMap(optionsOf)];
}
