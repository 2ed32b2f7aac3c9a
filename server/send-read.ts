/** A prepared read as an HTTP answer: conditional requests, ranges (RFC 9110 sections 13 and 14), and its receipt's id. */
import type { OutgoingHttpHeaders } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { LentStream } from '../exchange/access/lent-stream.ts';
import type { PreparedRead } from '../exchange/access/read.ts';
import type { ByteRange } from '../exchange/store/store.ts';
import { HuitongError } from '../lib/errors.ts';

/** Nothing is opened, and no leaf written, for HEAD and for a body that the caller has. */
export async function sendRead(
  request: FastifyRequest,
  reply: FastifyReply,
  prepared: PreparedRead,
): Promise<FastifyReply> {
  const { totalBytes, version } = prepared;
  const etag = `"${prepared.etag}"`;
  reply.headers({
    etag,
    'cache-control': 'private, no-cache',
    vary: 'accept, authorization',
    'x-huitong-version': String(version.number),
    'accept-ranges': totalBytes === undefined ? 'none' : 'bytes',
  });
  if (matches(request.headers['if-none-match'], etag)) return reply.code(304).send();
  reply.type(prepared.contentType);
  const range = totalBytes === undefined ? undefined : rangeOf(request, totalBytes, etag);
  if (range === 'unsatisfiable') {
    reply.header('content-range', `bytes */${totalBytes}`);
    throw new HuitongError('RANGE_NOT_SATISFIABLE', `内容共 ${totalBytes} 字节 · the body has ${totalBytes} bytes`);
  }
  const length = range?.length ?? totalBytes;
  if (length !== undefined) reply.header('content-length', length);
  if (range) {
    const last = range.offset + range.length - 1;
    reply.code(206).header('content-range', `bytes ${range.offset}-${last}/${totalBytes}`);
  }
  if (request.method === 'HEAD') return reply.send();
  const session = await prepared.open(range);
  reply.headers({ 'x-huitong-session': session.id, 'x-huitong-audit-index': String(session.opened.index) });
  return sendBytes(reply, session.stream);
}

/** Chunk by chunk as the client takes them, each held once. What fails before the first is answered as a problem. */
export async function sendBytes(reply: FastifyReply, stream: LentStream): Promise<FastifyReply> {
  await stream.sendTo(() => {
    reply.hijack();
    return reply.raw.writeHead(reply.statusCode, reply.getHeaders() as OutgoingHttpHeaders);
  });
  return reply;
}

function matches(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.trim() === '*' || header.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag);
}

/**
 * One range of bytes; anything that is not exactly one is answered with the whole (section 14.2), as is a range for a
 * body that has changed since (If-Range).
 */
function rangeOf(request: FastifyRequest, totalBytes: number, etag: string): ByteRange | 'unsatisfiable' | undefined {
  const condition = request.headers['if-range'];
  if (condition !== undefined && condition !== etag) return undefined;
  const found = /^bytes=(\d*)-(\d*)$/.exec(request.headers.range ?? '');
  if (!found || (found[1] === '' && found[2] === '')) return undefined;
  const [first, last] = [found[1], found[2]];
  if (first === '') {
    const length = Math.min(Number(last), totalBytes);
    return length === 0 ? 'unsatisfiable' : { offset: totalBytes - length, length };
  }
  const offset = Number(first);
  const end = last === '' ? totalBytes - 1 : Math.min(Number(last), totalBytes - 1);
  if (offset >= totalBytes) return 'unsatisfiable';
  return end < offset ? undefined : { offset, length: end - offset + 1 };
}
