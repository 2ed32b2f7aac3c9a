/** `person add`, `list`, `change`, `disable`, `enable`, `reset-password`: who may sign in. */
import type { Command } from 'commander';
import { textTable } from '../../lib/text-table.ts';
import type { Person } from '../../schemas/generated/api.ts';
import type { CommandContext } from '../context.ts';
import { localTime, print } from '../output.ts';

interface WithPassword {
  person: Person;
  temporaryPassword?: string;
}

interface AddOptions {
  department: string;
  login: string;
  name: string;
  role: string[];
  password: boolean;
}

export function peopleCommands(program: Command, context: CommandContext): void {
  const person = program.command('person').description('people who may sign in (administrators)');
  const change = async (login: string, body: object) => {
    const client = await context.client();
    const { id } = await findPerson(context, login);
    const changed = await client.post<Person>(`/people/${id}/change`, body);
    context.show(changed, () => print(oneLine(changed)));
  };

  person
    .command('add')
    .description('register a person; a temporary password is shown once')
    .requiredOption('--department <code>')
    .requiredOption('--login <name>', 'lower case; also what the identity provider calls them')
    .requiredOption('--name <name>')
    .requiredOption('--role <role...>')
    .option('--no-password', 'they come through the identity provider only')
    .action(async ({ department, login, name, role, password }: AddOptions) => {
      const client = await context.client();
      const body = { department, login, name, roles: role, withPassword: password };
      show(await client.post<WithPassword>('/people', body));
    });

  person
    .command('list')
    .description('everybody, by login')
    .option('--department <code>')
    .action(async (options: { department?: string }) => {
      const client = await context.client();
      const query = options.department ? `?department=${encodeURIComponent(options.department)}` : '';
      const people: Person[] = [];
      for await (const one of client.pages<Person>(`/people${query}`)) people.push(one);
      context.show(people, (list) =>
        print(
          textTable(list, [
            { title: 'login', value: (p) => p.login },
            { title: 'name', value: (p) => p.name },
            { title: 'department', value: (p) => p.department },
            { title: 'roles', value: (p) => p.roles.join(', ') },
            { title: 'signs in with', value: (p) => p.signsInWith.join(', ') },
            { title: 'disabled', value: (p) => localTime(p.disabledAt) },
          ]),
        ),
      );
    });

  person
    .command('change <login>')
    .description('change department, name or roles; holds for their next call')
    .option('--department <code>')
    .option('--name <name>')
    .option('--role <role...>')
    .action((login: string, { department, name, role }: Partial<AddOptions>) =>
      change(login, { department, name, roles: role }),
    );

  person
    .command('disable <login>')
    .description('shut out at once, open sessions included')
    .action((login: string) => change(login, { disabled: true }));

  person
    .command('enable <login>')
    .description('let in again, and forget failed sign-ins')
    .action((login: string) => change(login, { disabled: false }));

  person
    .command('reset-password <login>')
    .description('a new temporary password; every session of theirs ends')
    .action(async (login: string) => {
      const client = await context.client();
      const { id } = await findPerson(context, login);
      show(await client.post<WithPassword>(`/people/${id}/reset-password`));
    });

  function show(made: WithPassword): void {
    context.show(made, () => {
      print(oneLine(made.person));
      if (made.temporaryPassword === undefined) return;
      print(`临时密码 temporary password: ${made.temporaryPassword}`);
      print(`首次登录 first sign-in: huitong login ${made.person.login} --new-password`);
    });
  }
}

async function findPerson(context: CommandContext, login: string): Promise<Person> {
  const client = await context.client();
  return client.get<Person>(`/people/${encodeURIComponent(login)}`);
}

function oneLine({ login, name, department, roles, disabledAt }: Person): string {
  return `${login} ${name} · ${department} · ${roles.join(', ')}${disabledAt === null ? '' : ' · 已停用 disabled'}`;
}
