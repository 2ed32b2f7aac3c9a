/** `/v1/sign-in`: a person proves who they are, with a password or at the identity provider, and gets a session. */
import type { FastifyInstance } from 'fastify';
import { actorOf } from '../../exchange/access/access.ts';
import { revokeToken } from '../../exchange/access/tokens.ts';
import { type PasswordSignIn, signIn } from '../../exchange/people/sign-in.ts';
import { addLeaf } from '../../exchange/publication/outbox.ts';
import { HuitongError } from '../../lib/errors.ts';
import { objectOf } from '../answers.ts';
import { principalOf } from '../authentication.ts';
import type { AppDependencies } from '../dependencies.ts';

const tags = ['登录 Sign-in'];
const text = { type: 'string', minLength: 1, maxLength: 2048 } as const;
const session = objectOf({
  secret: { type: 'string', description: 'The bearer token of the session, shown once.' },
  expiresAt: { type: 'string', format: 'date-time' },
  person: { $ref: 'person#' },
});

export function signInRoutes(app: FastifyInstance, { publication, access, identityProvider }: AppDependencies): void {
  const provider = () => {
    if (identityProvider) return identityProvider;
    throw new HuitongError('NOT_FOUND', '本平台未接入统一身份认证 · this exchange has no identity provider', {
      hint: 'Set oidcIssuer.',
    });
  };

  app.get(
    '/sign-in',
    {
      config: { action: 'anyone' },
      schema: {
        summary: '登录方式 How one can sign in',
        tags,
        response: { 200: objectOf({ password: { type: 'boolean' }, oidc: { type: 'boolean' } }) },
      },
    },
    async () => ({ password: true, oidc: identityProvider !== undefined }),
  );

  app.post<{ Body: PasswordSignIn }>(
    '/sign-in',
    {
      config: { action: 'anyone' },
      schema: {
        summary: '密码登录 Sign in with a password, and replace it where a new one is given',
        tags,
        body: {
          type: 'object',
          additionalProperties: false,
          required: ['login', 'password'],
          properties: { login: text, password: text, newPassword: text },
        },
        response: { 200: session },
      },
    },
    async (request, reply) => reply.header('cache-control', 'no-store').send(await signIn(access, request.body)),
  );

  app.post<{ Body: { redirectUri: string } }>(
    '/sign-in/oidc',
    {
      config: { action: 'anyone' },
      schema: {
        summary: '统一身份认证：开始 Where to send the person, to sign in at the identity provider',
        tags,
        body: {
          type: 'object',
          additionalProperties: false,
          required: ['redirectUri'],
          properties: { redirectUri: text },
        },
        response: {
          200: objectOf({
            authorizationUrl: { type: 'string' },
            state: { type: 'string', description: 'To be found again in what comes back: else it is not yours.' },
          }),
        },
      },
    },
    async (request, reply) =>
      reply.header('cache-control', 'no-store').send(await provider().start(access, request.body.redirectUri)),
  );

  app.post<{ Body: { callbackUrl: string } }>(
    '/sign-in/oidc/finish',
    {
      config: { action: 'anyone' },
      schema: {
        summary: '统一身份认证：完成 The URL that the identity provider sent the person back to, for a session',
        tags,
        body: {
          type: 'object',
          additionalProperties: false,
          required: ['callbackUrl'],
          properties: { callbackUrl: { ...text, maxLength: 8192 } },
        },
        response: { 200: session },
      },
    },
    async (request, reply) =>
      reply.header('cache-control', 'no-store').send(await provider().finish(access, request.body.callbackUrl)),
  );

  app.delete(
    '/sign-in',
    {
      config: { action: 'person.self' },
      schema: { summary: '退出登录 End the session that calls', tags, response: { 204: { type: 'null' } } },
    },
    async (request, reply) => {
      const principal = principalOf(request);
      await publication.catalog.transaction(async (transaction) => {
        const token = await revokeToken(transaction, principal.tokenId);
        // A system's token is ended by an administrator, not by whoever holds it for a moment.
        if (token.person === undefined)
          throw new HuitongError('NOT_FOUND', '此令牌不是登录会话 · this token is no session');
        const object = `token/${token.id}`;
        await addLeaf(transaction, { ...actorOf(access, principal), action: 'sign-out', object, decision: 'allow' });
      });
      return reply.code(204).send();
    },
  );
}
