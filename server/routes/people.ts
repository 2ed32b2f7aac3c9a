/** `/v1/people`: who may sign in. `/v1/me`: who it is that calls. */
import type { FastifyInstance } from 'fastify';
import { actorOf } from '../../exchange/access/access.ts';
import {
  type ChangePerson,
  type CreatePerson,
  changePerson,
  createPerson,
  getPerson,
  listPeople,
  resetPassword,
} from '../../exchange/people/people.ts';
import { pageOf } from '../../schemas/api/index.ts';
import personSchema from '../../schemas/api/person.json' with { type: 'json' };
import tokenSchema from '../../schemas/api/token.json' with { type: 'json' };
import { objectOf } from '../answers.ts';
import { principalOf } from '../authentication.ts';
import type { AppDependencies } from '../dependencies.ts';
import { pageQuery } from '../page-query.ts';

const tags = ['人员 People'];
const params = { type: 'object', required: ['id'], properties: { id: { type: 'string' } } } as const;
const { login, name, roles } = personSchema.properties;
const department = { type: 'string' } as const;
const withPassword = objectOf(
  {
    person: { $ref: 'person#' },
    temporaryPassword: { type: 'string', description: 'Shown once; it must be replaced at the first sign-in.' },
  },
  ['temporaryPassword'],
);
const me = objectOf(
  { department, subject: { type: 'string' }, roles: tokenSchema.properties.roles, token: { type: 'string' } },
  [],
);

type OnePerson = { Params: { id: string } };

export function peopleRoutes(app: FastifyInstance, { publication: { catalog }, access }: AppDependencies): void {
  app.get(
    '/me',
    {
      config: { action: 'person.self' },
      schema: { summary: '当前身份 Who calls, as the exchange sees it', tags, response: { 200: me } },
    },
    async (request) => {
      const { department: own, subject, roles: held, tokenId } = principalOf(request);
      return { department: own, subject, roles: held, token: tokenId };
    },
  );

  app.post<{ Body: Omit<CreatePerson, 'withPassword'> & { withPassword?: boolean } }>(
    '/people',
    {
      config: { action: 'person.manage', replayable: false },
      schema: {
        summary: '新增人员 Register a person; a temporary password is shown once',
        tags,
        body: {
          type: 'object',
          additionalProperties: false,
          required: ['department', 'login', 'name', 'roles'],
          properties: {
            department,
            login,
            name,
            roles,
            withPassword: {
              type: 'boolean',
              default: true,
              description: 'Whether they get a password; false: they come through the identity provider only.',
            },
          },
        },
        response: { 201: withPassword },
      },
    },
    async (request, reply) => {
      const actor = actorOf(access, principalOf(request));
      const created = await createPerson(catalog, actor, { withPassword: true, ...request.body });
      return reply.code(201).header('cache-control', 'no-store').send(created);
    },
  );

  app.get<{ Querystring: { department?: string; limit?: number; cursor?: string } }>(
    '/people',
    {
      config: { action: 'person.manage' },
      schema: {
        summary: '人员列表 People, by login',
        tags,
        querystring: { type: 'object', additionalProperties: false, properties: { department, ...pageQuery } },
        response: { 200: pageOf('person') },
      },
    },
    (request) => listPeople(catalog, request.query),
  );

  app.get<{ Params: { login: string } }>(
    '/people/:login',
    {
      config: { action: 'person.manage' },
      schema: {
        summary: '一个人员 One person, by login',
        tags,
        params: { type: 'object', required: ['login'], properties: { login: { type: 'string' } } },
        response: { 200: { $ref: 'person#' } },
      },
    },
    (request) => getPerson(catalog, request.params.login),
  );

  app.post<OnePerson & { Body: ChangePerson }>(
    '/people/:id/change',
    {
      config: { action: 'person.manage' },
      schema: {
        summary: '变更人员 Change department, name or roles; disable or enable: at once, also for open sessions',
        tags,
        params,
        body: {
          type: 'object',
          additionalProperties: false,
          minProperties: 1,
          properties: { department, name, roles, disabled: { type: 'boolean' } },
        },
        response: { 200: { $ref: 'person#' } },
      },
    },
    (request) => changePerson(catalog, actorOf(access, principalOf(request)), request.params.id, request.body),
  );

  app.post<OnePerson>(
    '/people/:id/reset-password',
    {
      config: { action: 'person.manage', replayable: false },
      schema: {
        summary: '重置密码 A new temporary password; every session of theirs ends',
        tags,
        params,
        response: { 200: withPassword },
      },
    },
    async (request, reply) => {
      const actor = actorOf(access, principalOf(request));
      return reply.header('cache-control', 'no-store').send(await resetPassword(catalog, actor, request.params.id));
    },
  );
}
