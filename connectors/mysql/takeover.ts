/**
 * Takes a result's rows away from mysql2: everything else stays its work (login, TLS, authentication plugins, prepared
 * statements, errors). The seam is `connection.packetParser`, to whose `execute(chunk)` mysql2 gives all that arrives;
 * while a result of ours comes it is ours. It is private to mysql2, hence the exact version in package.json and the
 * self-test at each connect. Why: docs/decisions/0155-rows-taken-over-from-mysql2.md.
 */
import { connect, type Socket } from 'node:net';
import type { Readable } from 'node:stream';
import type { Connection } from 'mysql2';
import { executePacket } from './packets.ts';
import type { ResultReader } from './result-reader.ts';

/** What of mysql2's connection is used here and not in its types (lib/base/connection.js). */
interface Internals {
  stream: Readable;
  packetParser: { execute(chunk: Buffer): void };
  /** Of the packet that is expected next. */
  sequenceId: number;
  write(packet: Buffer): void;
  addCommand(command: Command): void;
}

/** What mysql2 asks of a command (lib/commands/command.js). */
interface Command {
  /** Without a packet: begin. True: this command has ended. */
  execute(packet?: Packet): boolean;
  /** The connection is lost. */
  onResult(cause: unknown): void;
}

interface Packet {
  isError(): boolean;
  asError(encoding: string): Error;
}

/** Read at a time where the kernel writes into our memory: the larger, the fewer calls. */
const READ_BYTES = 256 * 1024;

/** Streams whose bytes go to a reader of ours, which copies what it keeps. */
const takenOver = new WeakSet<object>();

/**
 * A socket for mysql2 whose bytes are read into one buffer that is used again, so that nothing is allocated while rows
 * come. mysql2, which keeps parts of what it is given, is given copies.
 */
export function connectSocket(address: { host: string; port: number }): Socket {
  const callback = (read: number, buffer: Uint8Array): boolean => {
    const chunk = buffer.subarray(0, read);
    socket.emit('data', takenOver.has(socket) ? chunk : Buffer.from(chunk));
    return true;
  };
  const onread = { buffer: Buffer.allocUnsafeSlow(READ_BYTES), callback };
  const socket = connect({ ...address, noDelay: true, keepAlive: true, onread });
  return socket;
}

/** What happens to a result, told to whoever asked for it. */
export interface ResultEvents {
  /** The reader is full; reading stopped. */
  onFull(): void;
  /** The result has ended, well or with the server's error. */
  onEnd(cause?: unknown): void;
  /** The reader threw: the connection is of no use any more. */
  onFailure(cause: unknown): void;
  /** Something arrived. */
  onData(): void;
}

/** One result on its way from the socket to its reader; a command of mysql2. */
export class Result implements Command {
  private readonly driver: Internals;
  private readonly statement: number;
  private readonly reader: ResultReader;
  private readonly events: ResultEvents;
  private readonly parser: Internals['packetParser'];
  private hasFailed = false;

  /** Executes a prepared statement without parameters once the commands before it are done. */
  constructor(connection: Connection, statement: number, reader: ResultReader, events: ResultEvents) {
    this.driver = connection as unknown as Internals;
    if (typeof this.driver.packetParser?.execute !== 'function') throw new Error('mysql2 has no packetParser');
    this.parser = this.driver.packetParser;
    this.statement = statement;
    this.reader = reader;
    this.events = events;
    this.driver.addCommand(this);
  }

  execute(packet?: Packet): boolean {
    if (packet === undefined) {
      this.driver.packetParser = { execute: (chunk) => this.arrive(chunk) };
      takenOver.add(this.driver.stream);
      this.driver.write(executePacket(this.statement));
      return false;
    }
    this.events.onEnd(packet.isError() ? packet.asError('utf8') : undefined);
    return true;
  }

  onResult(cause: unknown): void {
    this.events.onEnd(cause);
  }

  /** The reader has room again. */
  resume(): void {
    if (this.run(() => this.reader.decode())) this.driver.stream.resume();
  }

  private arrive(chunk: Buffer): void {
    this.events.onData();
    this.run(() => this.reader.take(chunk));
  }

  /** False where reading must stop. */
  private run(work: () => void): boolean {
    if (this.hasFailed) return false;
    try {
      work();
    } catch (cause) {
      this.hasFailed = true;
      this.events.onFailure(cause);
      return false;
    }
    const { full, last } = this.reader;
    if (full) {
      this.driver.stream.pause();
      this.events.onFull();
      return false;
    }
    if (last !== undefined) this.handBack(last);
    return true;
  }

  /** mysql2 reads what ended the result, and goes on with its next command. */
  private handBack(last: Buffer): void {
    takenOver.delete(this.driver.stream);
    this.driver.packetParser = this.parser;
    this.driver.sequenceId = last.readUInt8(3);
    this.parser.execute(last);
  }
}
