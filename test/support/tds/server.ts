/**
 * A TDS 7.4 server for tests, on the loopback ([MS-TDS]): login, TLS, batches, sp_executesql, every column type in ROW
 * and NBCROW, chunks, attention, errors half-way, dropped connections. It knows no SQL: `answer` says what comes back.
 */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { Session, type TdsServerOptions } from './session.ts';

export type { TdsQuery } from './requests.ts';
export type { Reply, TdsServerOptions } from './session.ts';

export interface TdsServer {
  readonly port: number;
  /** Connections that are open now. */
  readonly connections: number;
  close(): Promise<void>;
}

export async function startTdsServer(options: TdsServerOptions): Promise<TdsServer> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    new Session(socket, options);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    get connections() {
      return sockets.size;
    },
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

export async function withTdsServer<T>(options: TdsServerOptions, body: (server: TdsServer) => Promise<T>): Promise<T> {
  const server = await startTdsServer(options);
  try {
    return await body(server);
  } finally {
    await server.close();
  }
}
