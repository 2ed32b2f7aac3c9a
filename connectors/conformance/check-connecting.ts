/** Connecting, discovering, planning: what is there, and what is said of what is not. */
import { inspect } from 'node:util';
import { expect } from 'vitest';
import type { Connector, Snapshot } from '../connector.ts';
import { isLacking } from './fixture.ts';
import { failureOf, one, quiet, withSnapshot } from './reading.ts';
import type { Suite } from './suite.ts';

export function testConnecting<C, S extends Snapshot, P>(suite: Suite<C, S, P>): void {
  const { connector } = suite;

  suite.test('check reports every step of a good connection', [], async ({ config }) => {
    const report = await connector.check(config, quiet());
    expect(report).toMatchObject({ ok: true, server: expect.stringMatching(/\S/) });
    expect(report.steps.length).toBeGreaterThan(0);
    expect(report.steps.every((step) => step.ok)).toBe(true);
  });

  suite.test('a bad connection fails at its step, with a code', ['failures'], async ({ failures, canary }) => {
    const codes = failures.map(({ code }) => code);
    // Misspelt settings are refused by every kind.
    const demanded = isLacking(canary) ? ['CONFIG_INVALID'] : ['CONFIG_INVALID', 'SOURCE_AUTH', 'SOURCE_UNREACHABLE'];
    expect(codes).toEqual(expect.arrayContaining(demanded));
    for (const { name, config, step, code } of failures) {
      const report = await connector.check(config, quiet());
      expect(report.ok, name).toBe(false);
      expect(report.steps.at(-1), name).toMatchObject({ name: step, ok: false, code });
      expect((await failureOf(openedAndRead(connector, config))).code, name).toBe(code);
    }
  });

  suite.test('discover shows tables, columns, types and keys', ['names'], async ({ large, names, config }) => {
    const tables = await connector.discover(config, quiet());
    const table = tables.find(({ name }) => name === large.request.table.name);
    expect(table?.columns.find(({ name }) => name === large.idColumn)?.arrowType).toMatch(/^(Int|Utf8)/);
    if (connector.capabilities.snapshot !== 'none' && !large.bare)
      expect(table?.uniqueKeys).toContainEqual([large.idColumn]);
    const named = tables.find(({ name }) => name === names.request.table.name);
    expect(named?.columns.map(({ name }) => name)).toEqual(names.columns);
    for (const { columns, uniqueKeys, primaryKey } of tables) {
      const known = new Set(columns.map(({ name }) => name));
      expect([primaryKey, ...uniqueKeys].flat().filter((name) => !known.has(name))).toEqual([]);
    }
  });

  suite.test('comments are kept, in Chinese too', ['comments'], async ({ comments, config }) => {
    const tables = await connector.discover(config, quiet());
    const table = tables.find(({ name }) => name === comments.request.table.name);
    expect(table?.comment).toBe(comments.table);
    expect(table?.columns.find(({ name }) => name === comments.of)?.comment).toBe(comments.column);
  });

  suite.test('what is missing or forbidden is said at planning', ['missing'], async ({ missing, config }) => {
    expect(missing.map(({ code }) => code)).toEqual(expect.arrayContaining(['TABLE_NOT_FOUND', 'COLUMN_NOT_FOUND']));
    for (const { request, code } of missing) {
      const error = await withSnapshot(connector, config, (snapshot) =>
        failureOf(connector.plan(snapshot, request, one)),
      );
      expect(error.code, inspect(request)).toBe(code);
    }
  });

  suite.test('unmapped types are refused, all at once and by name', ['unmapped'], async ({ unmapped, config }) => {
    const { request, columns } = unmapped;
    await withSnapshot(connector, config, async (snapshot) => {
      const error = await failureOf(connector.plan(snapshot, request, one));
      expect(error.code).toBe('TYPE_UNMAPPED');
      for (const column of columns) expect(error.message).toContain(column);
      const overrides = Object.fromEntries(columns.map((column) => [column, { as: 'skip' as const }]));
      const plan = await connector.plan(snapshot, { ...request, overrides }, one);
      expect(plan.columns.map(({ name }) => name)).not.toEqual(expect.arrayContaining(columns));
    });
  });
}

/** A kind without snapshots may first notice when it plans. */
async function openedAndRead<C, S extends Snapshot, P>(connector: Connector<C, S, P>, config: C): Promise<void> {
  await withSnapshot(connector, config, (snapshot) => connector.plan(snapshot, { table: { name: 'any' } }, one));
}
