/** `login`, `logout`, `whoami`: a person's session with the exchange. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Command } from 'commander';
import type { Person, Token } from '../../schemas/generated/api.ts';
import type { ApiClient } from '../client.ts';
import type { CommandContext } from '../context.ts';
import { CommandError, exitCodes } from '../errors.ts';
import { localTime, print } from '../output.ts';
import { SecretPrompt } from '../prompt.ts';
import { keepSession } from '../sessions.ts';

interface Session {
  secret: string;
  expiresAt: string;
  person: Person;
}

interface LoginOptions {
  oidc?: boolean;
  newPassword?: boolean;
}

/** A person has this long to sign in with the browser. */
const BROWSER_MS = 10 * 60 * 1000;

export function signInCommands(program: Command, context: CommandContext): void {
  program
    .command('login [login]')
    .description('sign in with a password, or in the browser at the identity provider')
    .option('--oidc', 'at the identity provider')
    .option('--new-password', 'replace the password, as at the first sign-in')
    .addHelpText(
      'after',
      '\nWithout a terminal the password is the first line of standard input, a new one the second.',
    )
    .action(async (login: string | undefined, options: LoginOptions) => {
      const client = await context.client();
      if (!options.oidc && login === undefined) {
        throw new CommandError(
          '请写明登录名，或用 --oidc 登录 · name the login, or sign in with --oidc',
          exitCodes.usage,
        );
      }
      const session = options.oidc
        ? await signInWithBrowser(client)
        : await signInWithPassword(client, login ?? '', options.newPassword === true);
      const { secret, expiresAt, person } = session;
      await keepSession(client.connection.url, { secret, expiresAt, login: person.login });
      context.show({ expiresAt, person }, () =>
        print(
          `已登录 signed in as ${person.login} (${person.department}: ${person.roles.join(', ')}) until ${localTime(expiresAt)}`,
        ),
      );
    });

  program
    .command('logout')
    .description('end the session')
    .action(async () => {
      const client = await context.client();
      await client.delete('/sign-in');
      await keepSession(client.connection.url, undefined);
      context.show({ signedOut: true }, () => print('已退出登录 signed out'));
    });

  program
    .command('whoami')
    .description('who calls, as the exchange sees it')
    .action(async () => {
      const client = await context.client();
      const me = await client.get<Pick<Token, 'department' | 'subject' | 'roles'>>('/me');
      context.show(me, () => print(`${me.subject} · ${me.department} · ${me.roles.join(', ')}`));
    });
}

async function signInWithPassword(client: ApiClient, login: string, replace: boolean): Promise<Session> {
  const prompt = new SecretPrompt();
  try {
    const password = await prompt.ask('密码 Password: ');
    const newPassword = replace ? await prompt.ask('新密码 New password: ') : undefined;
    return await client.post<Session>('/sign-in', { login, password, newPassword });
  } finally {
    prompt.close();
  }
}

/** RFC 8252, section 7.3: the identity provider sends the browser back to a port of this machine. */
async function signInWithBrowser(client: ApiClient): Promise<Session> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const redirectUri = `http://127.0.0.1:${(server.address() as AddressInfo).port}/callback`;
    const started = await client.post<{ authorizationUrl: string; state: string }>('/sign-in/oidc', { redirectUri });
    process.stderr.write(`请在浏览器中打开 Open in a browser:\n${started.authorizationUrl}\n`);
    const callbackUrl = await answerOf(server, redirectUri, started.state);
    return await client.post<Session>('/sign-in/oidc/finish', { callbackUrl });
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

/** The first answer that is to this very sign-in; others are somebody else's doing, and are not passed on. */
function answerOf(server: Server, redirectUri: string, state: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(
      () => reject(new CommandError('十分钟内无人登录 · nobody signed in within ten minutes', exitCodes.failed)),
      BROWSER_MS,
    );
    server.on('request', (request, response) => {
      const url = new URL(request.url ?? '/', redirectUri);
      const isOurs = url.pathname === '/callback' && url.searchParams.get('state') === state;
      response.writeHead(isOurs ? 200 : 404, { 'content-type': 'text/plain; charset=utf-8', connection: 'close' });
      response.end(isOurs ? '已登录，可关闭此页。You are signed in, and can close this page.' : '');
      if (!isOurs) return;
      clearTimeout(late);
      resolve(url.href);
    });
  });
}
