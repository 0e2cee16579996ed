import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createTestServer } from '@perennial/service-host/testing';
import { createMetrics, type Metrics } from '@perennial/telemetry';
import fc from 'fast-check';
import type { FastifyInstance } from 'fastify';
import { listen } from './listen.js';
import type { HttpServerOptions } from './server.js';

jest.setTimeout(60_000);

/** Ends a connection that the server leaves open: it waits for the rest of the request. */
const PATIENCE_MS = 20_000;
const NODE_MAJOR = Number.parseInt(process.versions.node, 10);
const GOOD = 'GET /health/live HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n';

let server: FastifyInstance;
let metrics: Metrics;
let port: number;

async function start(options: Partial<HttpServerOptions> = {}): Promise<void> {
  metrics = createMetrics({ service: 'test', namespace: 'test', processMetrics: false });
  server = createTestServer({ metrics, ...options });
  server.post('/echo', { config: { access: 'open' } }, (request) => ({ body: request.body }));
  port = Number(new URL(await listen(server, { host: '127.0.0.1', port: 0 })).port);
}

/** All bytes that the server answers to these bytes. */
function exchange(bytes: string | Uint8Array, { patienceMs = PATIENCE_MS, from = '127.0.0.1' } = {}): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect({ port, host: '127.0.0.1', localAddress: from }, () => socket.write(bytes));
    const patience = setTimeout(() => socket.destroy(), patienceMs);
    socket.on('data', (data) => {
      text += data.toString('latin1');
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearTimeout(patience);
      resolve(text);
    });
  });
}

/** Opens connections that send nothing. */
async function hold(count: number): Promise<Socket[]> {
  const sockets = Array.from({ length: count }, () => connect(port, '127.0.0.1'));
  await Promise.all(sockets.map((socket) => new Promise<void>((resolve) => socket.once('connect', () => resolve()))));
  return sockets;
}

function parse(response: string): { status: number; headers: string; body: string } {
  const [head = '', body = ''] = response.split('\r\n\r\n', 2);
  return { status: Number(head.split(' ')[1]), headers: head.toLowerCase(), body };
}

const countOf = async (reason: string) =>
  Number(
    new RegExp(`http_malformed_requests_total\\{reason="${reason}".*\\} (\\d+)`).exec(
      await metrics.registry.metrics(),
    )?.[1],
  );

const post = (headers: string, body = '') =>
  `POST /echo HTTP/1.1\r\nHost: a.test\r\nContent-Type: application/json\r\n${headers}\r\n${body}`;
const get = (target: string, headers: string) => `GET ${target} HTTP/1.1\r\n${headers}\r\n`;
const CHUNKED = '2\r\n{}\r\n0\r\n\r\n';

beforeEach(() => start());
afterEach(() => server.close());

describe('a request that a proxy could read in another way', () => {
  it.each([
    ['a coding before chunked', post('Transfer-Encoding: gzip, chunked\r\n', CHUNKED), 400, 'framing'],
    ['chunked twice', post('Transfer-Encoding: chunked, chunked\r\n', CHUNKED), 400, 'syntax'],
    [
      'two Transfer-Encoding headers',
      post('Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n', CHUNKED),
      400,
      'framing',
    ],
    ['identity', post('Transfer-Encoding: identity\r\n', '{}'), 400, 'syntax'],
    ['gzip alone', post('Transfer-Encoding: gzip\r\n', '{}'), 400, 'syntax'],
    ['a coding that looks like chunked', post('Transfer-Encoding: xchunked\r\n', CHUNKED), 400, 'syntax'],
    ['both lengths', post('Content-Length: 2\r\nTransfer-Encoding: chunked\r\n', CHUNKED), 400, 'syntax'],
    [
      'both lengths, the other way round',
      post('Transfer-Encoding: chunked\r\nContent-Length: 2\r\n', CHUNKED),
      400,
      'syntax',
    ],
    ['two lengths', post('Content-Length: 2\r\nContent-Length: 3\r\n', '{}'), 400, 'syntax'],
    ['a length with a sign', post('Content-Length: +2\r\n', '{}'), 400, 'syntax'],
    ['a length in hex', post('Content-Length: 0x2\r\n', '{}'), 400, 'syntax'],
    ['chunked in HTTP/1.0', `POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n${CHUNKED}`, 400, 'framing'],
    ['a chunk size that is no number', post('Transfer-Encoding: chunked\r\n', 'zz\r\n{}\r\n0\r\n\r\n'), 400, 'syntax'],
    ['no Host', get('/health/live', ''), 400, 'host'],
    ['two Hosts', get('/health/live', 'Host: a.test\r\nHost: b.test\r\n'), 400, 'host'],
    ['the same Host twice', get('/health/live', 'Host: a.test\r\nHost: a.test\r\n'), 400, 'host'],
    ['two Hosts in HTTP/1.0', 'GET /health/live HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n', 400, 'host'],
    ['a Host with a path', get('/health/live', 'Host: a.test/x\r\n'), 400, 'host'],
    ['a Host with a user', get('/health/live', 'Host: x@a.test\r\n'), 400, 'host'],
    ['two hosts in one Host', get('/health/live', 'Host: a.test, b.test\r\n'), 400, 'host'],
    ['an empty Host', get('/health/live', 'Host:\r\n'), 400, 'host'],
    ['a target of another host', get('http://b.test/health/live', 'Host: a.test\r\n'), 400, 'target'],
    ['a target of another port', get('http://a.test:81/health/live', 'Host: a.test\r\n'), 400, 'target'],
    ['a target of another scheme', get('file:///etc/passwd', 'Host: a.test\r\n'), 400, 'target'],
    ['a folded header', get('/health/live', 'Host: a.test\r\nX-A: 1\r\n 2\r\n'), 400, 'syntax'],
    ['a space before the colon', get('/health/live', 'Host: a.test\r\nX-A : 1\r\n'), 400, 'syntax'],
    ['a NUL in a header', get('/health/live', 'Host: a.test\r\nX-A: 1\0\r\n'), 400, 'syntax'],
    ['a bare CR in a header', get('/health/live', 'Host: a.test\r\nX-A: 1\r2\r\n'), 400, 'syntax'],
    ['an unknown method', 'HELLO /health/live HTTP/1.1\r\nHost: a.test\r\n\r\n', 400, 'syntax'],
    ['another version', 'GET /health/live HTTP/3.7\r\nHost: a.test\r\n\r\n', 400, 'syntax'],
    ['no HTTP at all', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400, 'syntax'],
    ['101 header lines', get('/health/live', `Host: a.test\r\n${'X-A: 1\r\n'.repeat(100)}`), 431, 'headers'],
    [
      '5,000 header lines',
      get('/health/live', `Host: a.test\r\n${'a:\r\n'.repeat(3_900)}`),
      431,
      // Node 24 ends such a request in its parser, by the bytes that it counts for each line.
      NODE_MAJOR >= 24 ? 'headers_too_large' : 'headers',
    ],
    [
      'headers of 20 KB',
      get('/health/live', `Host: a.test\r\nX-A: ${'x'.repeat(20_000)}\r\n`),
      431,
      'headers_too_large',
    ],
    ['a path of 20 KB', get(`/${'x'.repeat(20_000)}`, 'Host: a.test\r\n'), 431, 'headers_too_large'],
  ])('%s is answered in our form, counted, and its connection closed', async (_name, bytes, status, reason) => {
    const response = parse(await exchange(Buffer.from(bytes, 'latin1')));
    expect(response.status).toBe(status);
    expect(response.headers).toContain('content-type: application/problem+json');
    expect(response.headers).toContain('connection: close');
    expect(JSON.parse(response.body)).toMatchObject({
      status,
      code: status === 400 ? 'contract_violation' : 'limit_exceeded',
      detail: expect.stringMatching(/./),
    });
    expect(await countOf(reason)).toBe(1);
    expect(parse(await exchange(GOOD)).status).toBe(200);
  });

  it.each([
    ['chunked', post('Transfer-Encoding: CHUNKED\r\nConnection: close\r\n', CHUNKED)],
    ['a length', post('Content-Length: 2\r\nConnection: close\r\n', '{}')],
    ['an unknown expectation', post('Expect: pie\r\nContent-Length: 2\r\nConnection: close\r\n', '{}')],
    ['a target of the same host', get('http://A.test:80/health/live', 'Host: a.test\r\nConnection: close\r\n')],
    ['an IPv6 Host', get('/health/live', 'Host: [::1]:7001\r\nConnection: close\r\n')],
    ['HTTP/1.0 without Host', 'GET /health/live HTTP/1.0\r\n\r\n'],
    ['99 header lines', get('/health/live', `Host: a.test\r\nConnection: close\r\n${'X-A: 1\r\n'.repeat(97)}`)],
  ])('and %s is none', async (_name, bytes) => {
    expect(parse(await exchange(bytes)).status).toBe(200);
  });

  it('is answered for its path, without the query, in the form that the path has', async () => {
    await server.close();
    await start({
      formatProblem: ({ instance, code, detail }) =>
        instance === '/echo'
          ? { mediaType: 'application/json', body: JSON.stringify({ error: code, detail }) }
          : undefined,
    });
    const broken = [
      'POST /echo?writeKey=pk_1 HTTP/1.1\r\nX-A : 1\r\n\r\n',
      post('Transfer-Encoding: chunked\r\n', 'zz'),
    ];
    for (const bytes of broken) {
      const { headers, body } = parse(await exchange(bytes));
      expect(headers).toContain('content-type: application/json');
      expect(JSON.parse(body)).toMatchObject({ error: 'contract_violation' });
      expect(body).not.toContain('pk_1');
    }
    const other = JSON.parse(parse(await exchange('GET /other?key=1 HTTP/1.1\r\nX-A : 1\r\n\r\n')).body);
    expect(other).toMatchObject({ instance: '/other' });
  });
});

describe('limits of connections', () => {
  it.each([
    ['headers', 'POST /echo HTTP/1.1\r\nHost: a.test\r\n'],
    ['a body', post('Content-Length: 10\r\n', '{')],
  ])('answer 408 where %s do not arrive in time', async (_name, bytes) => {
    await server.close();
    await start({ connectionLimits: { headersTimeoutMs: 200, requestTimeoutMs: 300, checkIntervalMs: 50 } });
    const { status, body } = parse(await exchange(bytes, { patienceMs: 20_000 }));
    expect(status).toBe(408);
    expect(JSON.parse(body)).toMatchObject({ code: 'timeout' });
    expect(await countOf('timeout')).toBe(1);
  });

  it('close what is above the number, and count it', async () => {
    await server.close();
    await start({ connectionLimits: { connectionsMax: 2 } });
    const held = await hold(2);
    expect(await exchange(GOOD)).toBe('');
    for (const socket of held) socket.destroy();
    let text = '';
    while (text === '') text = await exchange(GOOD);
    expect(parse(text).status).toBe(200);
    expect(await metrics.registry.metrics()).toMatch(/http_connections_dropped_total\{limit="total".*\} [1-9]/);
  });

  it('close what is above the number of one address, count it, and let it in again', async () => {
    await server.close();
    await start({ addressConnectionsMax: 2 });
    const held = await hold(2);
    expect(await exchange(GOOD)).toBe('');
    expect(await metrics.registry.metrics()).toMatch(/http_connections_dropped_total\{limit="address".*\} 1/);
    // Another address has an allowance of its own.
    expect(parse(await exchange(GOOD, { from: '127.0.0.2' })).status).toBe(200);
    held[0]?.destroy();
    let text = '';
    while (text === '') text = await exchange(GOOD);
    expect(parse(text).status).toBe(200);
    held[1]?.destroy();
  });

  it('do not count the connections of a proxy as those of one address', async () => {
    await server.close();
    await start({ addressConnectionsMax: 2, trustedProxies: 1 });
    const held = await hold(2);
    expect(parse(await exchange(GOOD)).status).toBe(200);
    for (const socket of held) socket.destroy();
  });
});

/** Pieces from which hostile requests are made: whole lines, broken ones, and bytes. */
const PIECE = fc.oneof(
  fc.constantFrom(
    'GET / HTTP/1.1\r\n',
    'POST /echo HTTP/1.1\r\n',
    'OPTIONS * HTTP/1.1\r\n',
    'CONNECT a.test:443 HTTP/1.1\r\n',
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    'Host: a.test\r\n',
    'Host: b.test\r\n',
    'Content-Length: 5\r\n',
    'Content-Length: 18446744073709551616\r\n',
    'Transfer-Encoding: chunked\r\n',
    'Transfer-Encoding:\x0bchunked\r\n',
    'Connection: upgrade\r\nUpgrade: websocket\r\n',
    'Expect: 100-continue\r\n',
    'Expect: the unexpected\r\n',
    'Content-Encoding: gzip\r\n',
    'Content-Type: application/json\r\n',
    '\r\n',
    '\n',
    '\r',
    '\0',
    ' ',
    '0\r\n\r\n',
    '5\r\nhello\r\n',
    'ffffffffffffffff\r\n',
    '{}',
  ),
  fc.string({ unit: 'binary', maxLength: 20 }),
);

it('answers the next good request, whatever bytes came before', async () => {
  const pieces = fc.array(PIECE, { minLength: 1, maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(fc.array(pieces, { minLength: 8, maxLength: 8 }), async (requests) => {
      const bytes = requests.map((parts) => Buffer.from(parts.join(''), 'latin1'));
      const responses = await Promise.all(bytes.map((one) => exchange(one, { patienceMs: 50 })));
      for (const response of responses.filter((text) => text !== ''))
        expect(response).toMatch(/^HTTP\/1\.1 [1-4]\d\d /);
      expect(parse(await exchange(GOOD)).status).toBe(200);
    }),
    { seed: 15, numRuns: 60 },
  );
});
