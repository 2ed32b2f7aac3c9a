/** The `huitong` program: everything it can do, it does over the HTTP API. */
import { Command, CommanderError } from 'commander';
import { applyCommand } from './commands/apply.ts';
import { auditCommands } from './commands/audit.ts';
import { caseCommands } from './commands/cases.ts';
import { changesCommand } from './commands/changes.ts';
import { correctionCommands } from './commands/corrections.ts';
import { datasetCommands } from './commands/datasets.ts';
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
    .addHelpText('after', examples)
    .configureHelp({ showGlobalOptions: true })
    .exitOverride();
  const context = new CommandContext(program);
  for (const add of [
    applyCommand,
    sourceCommands,
    datasetCommands,
    changesCommand,
    runCommands,
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
    correctionCommands,
  ]) {
    add(program, context);
  }
  return program;
}

/** Runs one command line and gives the exit code; never throws. */
export async function main(argv: string[]): Promise<number> {
  const program = buildProgram();
  try {
    await program.parseAsync(argv);
    return exitCodes.done;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
    if (error instanceof CommandError) {
      process.stderr.write(`${describe(error)}\n`);
      return error.exitCode;
    }
    process.stderr.write(`unexpected failure: ${error instanceof Error ? error.stack : String(error)}\n`);
    return exitCodes.failed;
  }
}
