/**
 * TLS below TDS 8 ([MS-TDS] 2.2.6.5, 3.2.5.1): the handshake's records travel in packets of type PRELOGIN, application
 * data travels bare. TLS 1.3 sends tickets after its handshake, which that scheme cannot carry: 1.2 is the limit.
 */
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { createSecureContext, TLSSocket } from 'node:tls';
import { PacketReader, packet, packetTypes } from './packets.ts';

export interface TlsIdentity {
  key: string;
  cert: string;
}

/** Record types (RFC 5246, section 6.2.1) that belong to the handshake: change_cipher_spec and handshake. */
const HANDSHAKE_RECORDS = new Set([20, 22]);

/** The plain side of `socket` once the handshake is over. Takes over its `data` events. */
export function serveTls(socket: Socket, identity: TlsIdentity): Promise<TLSSocket> {
  const records = new Duplex({
    read: () => {},
    write: (chunk: Buffer, _encoding, done) => {
      const isHandshake = HANDSHAKE_RECORDS.has(chunk[0] ?? 0);
      socket.write(isHandshake ? packet(packetTypes.prelogin, chunk, true) : chunk, done);
    },
    final: (done) => {
      socket.end();
      done();
    },
  });
  let isSecure = false;
  const reader = new PacketReader();
  socket.removeAllListeners('data');
  socket.on('data', (chunk: Buffer) => {
    if (isSecure) records.push(chunk);
    else for (const { body } of reader.take(chunk)) records.push(body);
  });
  socket.once('close', () => records.destroy());
  const secure = new TLSSocket(records, {
    isServer: true,
    secureContext: createSecureContext({ ...identity, maxVersion: 'TLSv1.2' }),
  });
  return new Promise((resolve, reject) => {
    secure.once('error', reject);
    secure.once('secure', () => {
      isSecure = true;
      secure.off('error', reject);
      resolve(secure);
    });
  });
}
