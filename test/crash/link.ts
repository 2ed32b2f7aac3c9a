/**
 * A network link that can fail: a TCP proxy in front of Temporal. Frozen, it keeps its connections and delivers nothing;
 * so a worker can finish its work without its word of it arriving, and no code of the worker knows of the test.
 */
import { connect, createServer, type Server, type Socket } from 'node:net';

export class Link {
  readonly address: string;
  readonly #server: Server;
  readonly #target: { host: string; port: number };
  readonly #pairs = new Set<[Socket, Socket]>();
  #frozen = false;

  private constructor(server: Server, address: string, target: { host: string; port: number }) {
    this.#server = server;
    this.address = address;
    this.#target = target;
    server.on('connection', (near) => this.#join(near));
  }

  /** @param target `host:port` */
  static async open(target: string): Promise<Link> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    const [host = '', targetPort] = target.split(':');
    return new Link(server, `127.0.0.1:${port}`, { host, port: Number(targetPort) });
  }

  freeze(): void {
    this.#frozen = true;
    for (const sockets of this.#pairs) for (const socket of sockets) socket.pause();
  }

  /** Ends every connection with whatever was on its way, and lets new ones pass. */
  cut(): void {
    this.#frozen = false;
    for (const sockets of [...this.#pairs]) for (const socket of sockets) socket.destroy();
  }

  close(): void {
    this.#server.close();
    this.cut();
  }

  #join(near: Socket): void {
    const far = connect(this.#target);
    const pair: [Socket, Socket] = [near, far];
    this.#pairs.add(pair);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.on('data', (chunk) => {
        if (!to.write(chunk)) from.pause();
      });
      to.on('drain', () => {
        if (!this.#frozen) from.resume();
      });
      from.on('error', () => to.destroy());
      from.on('close', () => {
        to.destroy();
        this.#pairs.delete(pair);
      });
    }
    if (this.#frozen) this.freeze();
  }
}
