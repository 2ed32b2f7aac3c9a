/**
 * Where the holder of the log is reached, and how the servers of one exchange know each other: TLS 1.2 with a pre-shared
 * key (RFC 5489, ECDHE-PSK), on a Unix-domain socket as on TCP. The key is derived from the log's signing key, which all
 * of them have and nobody else; so both sides are authenticated, and what passes is encrypted, without certificates.
 */
import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import type { Server } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { HuitongError } from '../../../lib/errors.ts';
import { limits } from '../../../lib/limits.ts';

/** Who may come in: the servers that have the log's key. */
export interface PeerIdentity {
  origin: string;
  peerKey: Uint8Array;
}

const protocol = { ciphers: 'ECDHE-PSK-CHACHA20-POLY1305', minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } as const;
const SOCKET_NAME = /^huitong-log-[0-9a-f]+\.sock$/;

/** An open door; `address` is what others dial. */
export interface Door {
  address: string;
  close(): Promise<void>;
}

/**
 * Listens at `tcp://host:port` (without a host: this machine's name), or else at a Unix-domain socket of its own.
 * @throws CONFIG_INVALID where that cannot be listened at
 */
export async function openDoor(
  identity: PeerIdentity,
  address: string | undefined,
  onPeer: (socket: TLSSocket) => void,
): Promise<Door> {
  const server = createServer(
    {
      ...protocol,
      handshakeTimeout: limits.auditPeerConnectTimeoutMs,
      pskCallback: (_, name) => (name === identity.origin ? identity.peerKey : null),
    },
    onPeer,
  );
  server.maxConnections = limits.auditPeersMax;
  // Somebody without the key, or a peer that went away in the middle: nothing of ours is wrong.
  server.on('tlsClientError', () => {});
  const place = address === undefined ? newSocketPath() : placeOf(address);
  await listening(server, place).catch((cause: unknown) => {
    throw new HuitongError('CONFIG_INVALID', 'the other servers’ door to the audit log cannot be opened', {
      at: address ?? 'a Unix-domain socket in the temporary folder',
      hint: 'Set HUITONG_AUDIT_ADDRESS to tcp:// with an address and a free port of this machine.',
      cause,
    });
  });
  return { address: addressOf(server, place), close: () => closed(server) };
}

/** A connection to whoever holds the log, once it is known to have the key. Throws what hindered it. */
export function knock(identity: PeerIdentity, address: string): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      ...protocol,
      ...placeOf(address),
      pskCallback: () => ({ psk: identity.peerKey, identity: identity.origin }),
      // There is no certificate: the key alone proves who it is, and the handshake fails without it.
      checkServerIdentity: () => undefined,
    });
    const late = setTimeout(() => socket.destroy(new Error('no answer in time')), limits.auditPeerConnectTimeoutMs);
    socket.once('secureConnect', () => {
      clearTimeout(late);
      socket.off('error', reject);
      resolve(socket);
    });
    socket.once('error', reject);
    socket.once('close', () => {
      clearTimeout(late);
      reject(new Error('the connection was closed'));
    });
  });
}

/** What a holder that was killed left in the temporary folder, if it ran on this machine. */
export async function removeDoor(address: string): Promise<void> {
  const path = address.startsWith('unix:') ? address.slice('unix:'.length) : '';
  if (SOCKET_NAME.test(basename(path))) await rm(path, { force: true });
}

type Place = { path: string } | { host: string; port: number };

function newSocketPath(): Place {
  return { path: join(tmpdir(), `huitong-log-${randomBytes(8).toString('hex')}.sock`) };
}

function placeOf(address: string): Place {
  if (address.startsWith('unix:')) return { path: address.slice('unix:'.length) };
  const [, host, port] = /^tcp:\/\/([^/]*):(\d+)$/.exec(address) ?? [];
  if (host === undefined || ['0.0.0.0', '[::]'].includes(host)) {
    throw new HuitongError('CONFIG_INVALID', 'this is no address at which other servers reach this one', {
      at: address,
      hint: 'Set HUITONG_AUDIT_ADDRESS to tcp://host:port, with an address of this machine that the others reach.',
    });
  }
  return { host: host === '' ? hostname() : host.replace(/^\[|\]$/g, ''), port: Number(port) };
}

function addressOf(server: Server, place: Place): string {
  if ('path' in place) return `unix:${place.path}`;
  const bound = server.address();
  const port = bound !== null && typeof bound === 'object' ? bound.port : place.port;
  return `tcp://${place.host.includes(':') ? `[${place.host}]` : place.host}:${port}`;
}

function listening(server: Server, place: Place): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(place, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}
