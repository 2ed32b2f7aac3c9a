import { expect, test } from 'vitest';
import { connectorKinds, connectorOf } from '../../connectors/registry.ts';

test('every kind that is listed has its connector; another is CONNECTOR_UNKNOWN', () => {
  expect(connectorKinds()).toContain('postgres');
  for (const kind of connectorKinds()) expect(connectorOf(kind).kind).toBe(kind);
  expect(() => connectorOf('paper')).toThrow(expect.objectContaining({ code: 'CONNECTOR_UNKNOWN' }));
});
