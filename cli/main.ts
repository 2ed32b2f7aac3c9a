/** The `huitong` program: everything it can do, it does over the HTTP API. */
import { Command, CommanderError, Option } from 'commander';
import stringWidth from 'string-width';
import { applyCommand } from './commands/apply.ts';
import { auditCommands } from './commands/audit.ts';
import { caseCommands } from './commands/cases.ts';
import { changesCommand } from './commands/changes.ts';
import { completionCommand } from './commands/completion.ts';
import { correctionCommands } from './commands/corrections.ts';
import { datasetCommands } from './commands/datasets.ts';
import { entryCommands } from './commands/entries.ts';
import { exchangeCommands } from './commands/exchange.ts';
import { grantCommands } from './commands/grants.ts';
import { lookupCommands } from './commands/lookups.ts';
import { peopleCommands } from './commands/people.ts';
import { requestCommands } from './commands/requests.ts';
import { runCommands } from './commands/runs.ts';
import { signInCommands } from './commands/sign-in.ts';
import { sourceCommands } from './commands/sources.ts';
import { tokenCommands } from './commands/tokens.ts';
import { versionCommands } from './commands/versions.ts';
import { CommandContext } from './context.ts';
import { CommandError, describe, exitCodes } from './errors.ts';
import { languageFor } from './language.ts';
import { print } from './output.ts';
import { groupCommands, overview, version } from './overview.ts';
import { inSources } from './stack.ts';

const examples = `
Examples:
  $ huitong apply districts/longhua            show the plan, ask, apply
  $ huitong source check health                can the worker reach and read the source
  $ huitong publish health.vaccinations        extract, check, publish; follow it here
  $ huitong read health.vaccinations --columns vaccine_code,dose --format csv > v.csv
  $ huitong version verify ./export            recount a version offline

Exit codes: 0 done · 1 refused or failed · 2 wrong usage · 3 exchange not reachable · 130 interrupted`;

export function buildProgram(): Command {
  const program = new Command('huitong')
    .description('Huitong 汇通: the governed exchange between the departments of a district')
    .option('--url <url>', 'the exchange (HUITONG_URL)')
    .option('--token <token>', 'a bearer token (HUITONG_TOKEN)')
    .option('--as <name>', 'which token of .huitong/cli.json to use')
    .option('--json', 'print JSON for programs')
    .addOption(new Option('--lang <language>', '语言 language of messages; else the locale’s').choices(['zh', 'en']))
    .addHelpText('after', examples)
    .configureHelp({ showGlobalOptions: true, displayWidth: stringWidth })
    .showHelpAfterError('→ --help tells what is expected')
    .exitOverride();
  const context = new CommandContext(program);
  for (const add of [
    sourceCommands,
    datasetCommands,
    changesCommand,
    runCommands,
    applyCommand,
    versionCommands,
    grantCommands,
    lookupCommands,
    signInCommands,
    peopleCommands,
    tokenCommands,
    auditCommands,
    exchangeCommands,
    requestCommands,
    caseCommands,
    entryCommands,
    correctionCommands,
    completionCommand,
  ]) {
    add(program, context);
  }
  groupCommands(program);
  return program;
}

/** Runs one command line and gives the exit code; never throws. */
export async function main(argv: string[]): Promise<number> {
  const program = buildProgram();
  try {
    const [only, ...others] = argv.slice(2);
    if (only === undefined) print(overview(program));
    // Not as an option: `read` has a --version of its own.
    else if (only === '--version' && others.length === 0) print(version);
    else await program.parseAsync(argv);
    return exitCodes.done;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
    if (error instanceof CommandError) {
      process.stderr.write(`${describe(error, languageFor(program.opts<{ lang?: string }>().lang, process.env))}\n`);
      return error.exitCode;
    }
    const failure = error instanceof Error ? inSources(error.stack ?? error.message) : String(error);
    process.stderr.write(`unexpected failure, please report it: ${failure}\n`);
    return exitCodes.failed;
  }
}
