/** One client's connection: prelogin, TLS, login, then requests one after the other; attention at any time. */
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { counted, shortText } from './bytes.ts';
import { type Packet, PacketReader, packetTypes, ReplyWriter } from './packets.ts';
import {
  encryption,
  type Login,
  preloginReply,
  readBatch,
  readLogin,
  readPrelogin,
  readProcedureCall,
  type TdsQuery,
} from './requests.ts';
import { serveTls, type TlsIdentity } from './tls.ts';
import * as tokens from './tokens.ts';
import { latin1 } from './types.ts';

const FIRST_BODY_BYTES = 4096 - 8;
const LOGIN_FAILED = 18_456;
const DATABASE_MISSING = 4060;

export interface TdsServerOptions {
  /** Passwords by user; absent: everybody may log in. */
  users?: Record<string, string>;
  databases?: string[];
  /** Given: the server insists on TLS. */
  tls?: TlsIdentity;
  /** Size of each packet's body; absent: as large as was agreed on. */
  bodyBytes?: () => number;
  /** Says what comes back. Batches of nothing but SET statements succeed without it. */
  answer(query: TdsQuery, reply: Reply): Promise<void>;
  onQuery?(query: TdsQuery): void;
  onLogin?(login: Login): void;
  onFailure?(cause: unknown): void;
}

/** What an answer says. Whoever answers must stop when `signal` ends: by attention or because the client is gone. */
export interface Reply {
  readonly signal: AbortSignal;
  columns(columns: readonly tokens.TdsColumn[]): Promise<void>;
  row(cells: tokens.TdsRow): Promise<void>;
  nbcRow(cells: tokens.TdsRow): Promise<void>;
  /** Rows encoded beforehand. */
  rawRows(bytes: Uint8Array, count: number): Promise<void>;
  /** Any token in between. */
  token(bytes: Uint8Array): Promise<void>;
  error(number: number, message: string): Promise<void>;
  flush(): Promise<void>;
  sleep(milliseconds: number): Promise<void>;
  /** Breaks the connection. */
  drop(): void;
}

export class Session {
  private readonly socket: Socket;
  private readonly options: TdsServerOptions;
  private stream: Duplex;
  private bodyBytes: () => number = () => FIRST_BODY_BYTES;
  private gathered: Buffer[] = [];
  private work: Promise<void> = Promise.resolve();
  private attention = new AbortController();

  constructor(socket: Socket, options: TdsServerOptions) {
    this.socket = socket;
    this.stream = socket;
    this.options = options;
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.on('close', () => this.attention.abort());
    this.listen(socket);
  }

  private listen(stream: Duplex): void {
    const reader = new PacketReader();
    stream.on('data', (chunk: Buffer) => {
      for (const packet of reader.take(chunk)) this.take(packet);
    });
  }

  private take({ type, isLast, body }: Packet): void {
    if (type === packetTypes.attention) {
      this.attention.abort();
      this.enqueue(() => this.acknowledge());
      return;
    }
    this.gathered.push(body);
    if (!isLast) return;
    const message = Buffer.concat(this.gathered);
    this.gathered = [];
    this.enqueue(() => this.handle(type, message));
  }

  private enqueue(work: () => Promise<void>): void {
    this.work = this.work.then(work).catch((cause: unknown) => {
      this.options.onFailure?.(cause);
      this.socket.destroy();
    });
  }

  private handle(type: number, message: Buffer): Promise<void> {
    switch (type) {
      case packetTypes.prelogin:
        return this.prelogin(message);
      case packetTypes.login:
        return this.login(message);
      case packetTypes.batch:
        return this.answer(readBatch(message), false);
      case packetTypes.rpc:
        return this.answer(readProcedureCall(message), true);
      default:
        throw new Error(`the test server takes no packet of type ${type}`);
    }
  }

  private async prelogin(message: Buffer): Promise<void> {
    const { tls } = this.options;
    const refused = readPrelogin(message).encryption === encryption.notSupported;
    const mode = tls === undefined ? encryption.notSupported : refused ? encryption.required : encryption.on;
    await this.send([preloginReply(mode)]);
    if (tls === undefined || refused) return;
    this.stream = await serveTls(this.socket, tls);
    this.stream.on('error', () => {});
    this.listen(this.stream);
  }

  private async login(message: Buffer): Promise<void> {
    const login = readLogin(message);
    this.options.onLogin?.(login);
    const { users, databases, bodyBytes } = this.options;
    if (users !== undefined && users[login.user] !== login.password) {
      return this.refuse(LOGIN_FAILED, `Login failed for user '${login.user}'.`);
    }
    const database = login.database || 'master';
    if (databases !== undefined && !databases.includes(database)) {
      return this.refuse(
        DATABASE_MISSING,
        `Cannot open database "${database}" requested by the login. The login failed.`,
      );
    }
    const packetBytes = Math.max(512, Math.min(login.packetBytes || 4096, 32_767));
    await this.send([
      tokens.envChange(1, shortText(database), shortText('master')),
      tokens.envChange(7, counted(1, latin1), counted(1, Buffer.alloc(0))),
      tokens.envChange(4, shortText(String(packetBytes)), shortText('4096')),
      tokens.loginAck(),
      tokens.done(tokens.doneTokens.done, tokens.doneFlags.final, 0),
    ]);
    this.bodyBytes = bodyBytes ?? (() => packetBytes - 8);
  }

  private async refuse(number: number, message: string): Promise<void> {
    const failed = tokens.done(tokens.doneTokens.done, tokens.doneFlags.error, 0);
    await this.send([tokens.error(number, message, 14), failed]);
    this.stream.end();
  }

  /** 2.2.1.7: the acknowledgement is a DONE with the attention bit, after whatever was sent before. */
  private async acknowledge(): Promise<void> {
    this.attention = new AbortController();
    if (this.socket.destroyed) return;
    await this.send([tokens.done(tokens.doneTokens.done, tokens.doneFlags.attention, 0)]);
  }

  private async answer(query: TdsQuery, isProcedure: boolean): Promise<void> {
    const { signal } = this.attention;
    const writer = new ReplyWriter(this.stream, this.bodyBytes, signal);
    const { reply, finish } = this.reply(writer, signal, isProcedure);
    this.options.onQuery?.(query);
    if (!isSettings(query.sql)) await this.options.answer(query, reply);
    if (!signal.aborted) await finish();
    if (!this.socket.destroyed) await writer.end();
  }

  private reply(writer: ReplyWriter, signal: AbortSignal, isProcedure: boolean) {
    let columns: readonly tokens.TdsColumn[] = [];
    let rows = 0;
    let flags = tokens.doneFlags.final;
    const { done, doneInProc, doneProc } = tokens.doneTokens;
    const reply: Reply = {
      signal,
      columns: (described) => {
        columns = described;
        flags |= tokens.doneFlags.count;
        return writer.write(tokens.colMetadata(columns));
      },
      row: (cells) => {
        rows++;
        return writer.write(tokens.row(columns, cells));
      },
      nbcRow: (cells) => {
        rows++;
        return writer.write(tokens.nbcRow(columns, cells));
      },
      rawRows: (bytes, count) => {
        rows += count;
        return writer.write(bytes);
      },
      token: (bytes) => writer.write(bytes),
      error: (number, message) => {
        flags = tokens.doneFlags.error;
        return writer.write(tokens.error(number, message));
      },
      flush: () => writer.flush(),
      sleep: async (milliseconds) => {
        await writer.flush();
        await delay(milliseconds, undefined, { signal }).catch(() => {});
      },
      drop: () => this.socket.destroy(),
    };
    const finish = async () => {
      await writer.write(tokens.done(isProcedure ? doneInProc : done, isProcedure ? flags | 1 : flags, rows));
      if (!isProcedure) return;
      await writer.write(Buffer.concat([tokens.returnStatus(0), tokens.done(doneProc, 0, 0)]));
    };
    return { reply, finish };
  }

  private async send(parts: Buffer[]): Promise<void> {
    const writer = new ReplyWriter(this.stream, this.bodyBytes, AbortSignal.any([]));
    for (const part of parts) await writer.write(part);
    await writer.end();
  }
}

/** Nothing but SET statements, one a line, as drivers send them after the login. */
function isSettings(sql: string): boolean {
  return sql.split('\n').every((line) => /^\s*(set\s.*)?$/i.test(line));
}
