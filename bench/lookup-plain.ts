/**
 * What look-ups are measured against: rows of a table by primary key over HTTP as PostgREST would give them, with
 * nothing else done. `tsx lookup-plain.ts <database url>`; prints its port, and ends when its standard input does.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import pg from 'pg';

const pool = new pg.Pool({ connectionString: process.argv[2], max: 10 });
const server = createServer((request, response) => {
  const id = (request.url ?? '').slice(request.url?.lastIndexOf('/') ?? 0).slice(1);
  pool
    .query({ name: 'by-id', text: 'select id, name, id_no, amount, day from resident where id = $1', values: [id] })
    .then(({ rows }) => {
      const body = JSON.stringify(rows);
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
      response.end(body);
    })
    .catch(() => response.destroy());
});
server.listen(0, '127.0.0.1', () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`));
process.stdin.resume().on('end', () => {
  server.closeAllConnections();
  server.close();
  void pool.end();
});
