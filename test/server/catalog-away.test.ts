/** FAULTS 7 as callers of the API see it: the catalog is away. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openCatalog } from '../../catalog/database.ts';
import { Link } from '../crash/link.ts';
import { openBench } from '../exchange/access/support.ts';
import { openServer, problemOf, type TestServer } from './support.ts';

let server: TestServer;
let link: Link;
let close: () => Promise<void>;
beforeAll(async () => {
  const bench = await openBench();
  const url = new URL(bench.world.url);
  link = await Link.open(url.host);
  url.host = link.address;
  const catalog = openCatalog(url.href);
  close = async () => {
    await catalog.destroy();
    await bench.close();
  };
  server = await openServer({}, { publication: { ...bench.world, catalog } });
});
afterAll(async () => {
  await server.close();
  link.close();
  await close();
});

test('while the catalog is away every call is 503 CATALOG_UNREACHABLE', async () => {
  const officer = await server.as('health', 'officer');
  // Of the other catalog, whose tokens these are not: it answers.
  expect(problemOf(await officer('GET', '/datasets')).code).toBe('UNAUTHENTICATED');
  link.cut();
  const cut = await officer('GET', '/datasets');
  expect(['CATALOG_UNREACHABLE', 'UNAUTHENTICATED']).toContain(problemOf(cut).code);
  link.close();
  const away = await officer('GET', '/datasets');
  expect(problemOf(away)).toMatchObject({ code: 'CATALOG_UNREACHABLE', status: 503 });
  expect(away.headers['retry-after']).toBe('5');
  expect(JSON.stringify(away.json())).not.toMatch(/127\.0\.0\.1|password/);
});
