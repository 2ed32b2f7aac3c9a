import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { BoxSealer, openBox } from '../../lib/sealed-box.ts';
import { loadConfiguration } from '../../runtime/configuration.ts';
import { boxKeysOf, sessionKeyOf, subjectKeyOf } from '../../runtime/keys.ts';
import { Resources } from '../../runtime/resources.ts';
import { departmentsWithSources, sourceDepartments } from '../../runtime/source-departments.ts';
import { temporalOptions } from '../../runtime/temporal-connection.ts';

const pem = (key: KeyObject) => key.export({ type: 'pkcs8', format: 'pem' }) as string;
const x25519 = pem(generateKeyPairSync('x25519').privateKey);
const ed25519 = pem(generateKeyPairSync('ed25519').privateKey);

it('what is sealed to the public half of the configured key opens with its private half', () => {
  const keys = boxKeysOf(x25519, 'HUITONG_QUARANTINE_PRIVATE_KEY');
  const sealer = new BoxSealer(keys.publicKey);
  const box = Buffer.concat([sealer.start(), sealer.seal(Buffer.from('隔离')), sealer.end()]);
  expect(Buffer.concat([...openBox(keys.privateKey, box)]).toString()).toBe('隔离');
});

it('a key of another kind, or no key, is refused by the setting’s name and without its text', () => {
  for (const text of [ed25519, 'canary-7f3a']) {
    const refused = () => boxKeysOf(text, 'HUITONG_QUARANTINE_PRIVATE_KEY');
    expect(refused).toThrow('this is not an x25519 private key');
    expect(refused).not.toThrow('canary');
  }
  expect(() => sessionKeyOf(x25519, 'HUITONG_SIGNING_KEY')).toThrow('this is not an ed25519 private key');
});

it('session keys are the same in every server of one signing key, and differ between two', () => {
  const other = pem(generateKeyPairSync('ed25519').privateKey);
  expect(sessionKeyOf(ed25519, 'k')).toHaveLength(32);
  expect(sessionKeyOf(ed25519, 'k')).toEqual(sessionKeyOf(ed25519, 'k'));
  expect(sessionKeyOf(other, 'k')).not.toEqual(sessionKeyOf(ed25519, 'k'));
});

it('a subject key has at least 32 characters', () => {
  expect(subjectKeyOf('a'.repeat(32), 'k')).toHaveLength(32);
  expect(() => subjectKeyOf('a'.repeat(31), 'k')).toThrow('fewer than 32 characters');
});

it('resources are closed in reverse order, also where opening fails half-way', async () => {
  const closed: string[] = [];
  const close = async (name: string) => void closed.push(name);
  const failing = Resources.opening(async (resources) => {
    resources.add('catalog', close);
    resources.add('audit', close);
    throw new Error('no port');
  });
  await expect(failing).rejects.toThrow('no port');
  expect(closed).toEqual(['audit', 'catalog']);

  const resources = new Resources();
  resources.add('first', close);
  resources.add('second', () => Promise.reject(new Error('stuck')));
  await expect(resources.close()).rejects.toThrow('stuck');
  expect(closed).toEqual(['audit', 'catalog', 'first']);
});

it('a worker serves the departments that its roles name, or asks the exchange for all', async () => {
  expect(sourceDepartments(['exchange', 'source:health', 'source:traffic'])).toEqual({
    named: ['health', 'traffic'],
    every: false,
  });
  expect(sourceDepartments(['source:*'])).toEqual({ named: [], every: true });

  const exchange = createServer((request, response) => {
    if (request.headers.authorization !== 'Bearer ht_right') return void response.writeHead(401).end();
    const first = !request.url?.includes('cursor');
    const items = first ? [{ department: 'traffic' }, { department: 'health' }] : [{ department: 'health' }];
    response.end(JSON.stringify({ items, next: first ? 'c 1' : null }));
  });
  await new Promise<void>((resolve) => exchange.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(exchange.address() as AddressInfo).port}`;
  try {
    expect(await departmentsWithSources(`${url}/`, 'ht_right')).toEqual(['health', 'traffic']);
    await expect(departmentsWithSources(url, 'ht_wrong')).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  } finally {
    exchange.closeAllConnections();
    exchange.close();
  }
  await expect(departmentsWithSources(url, 'ht_right')).rejects.toMatchObject({ code: 'STAGING_UNREACHABLE' });
});

it('the connection to Temporal is plain, TLS, or mutual TLS as the settings say', async () => {
  const plain = await temporalOptions(loadConfiguration({ HUITONG_TEMPORAL_ADDRESS: 'there:7233' }));
  expect(plain).toEqual({ address: 'there:7233', tls: false });
  process.env.TEST_CERTIFICATE = 'certificate';
  process.env.TEST_KEY = 'key';
  const mutual = await temporalOptions(
    loadConfiguration({
      HUITONG_TEMPORAL_ADDRESS: 'there:7233',
      HUITONG_TEMPORAL_TLS_SERVER_NAME: 'temporal.internal',
      HUITONG_TEMPORAL_TLS_CERTIFICATE: 'env:TEST_CERTIFICATE',
      HUITONG_TEMPORAL_TLS_KEY: 'env:TEST_KEY',
    }),
  );
  expect(mutual.tls).toEqual({
    serverNameOverride: 'temporal.internal',
    clientCertPair: { crt: Buffer.from('certificate'), key: Buffer.from('key') },
  });
});
