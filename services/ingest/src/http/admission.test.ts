import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ADDRESS_LIMITS } from '../address-limit.js';
import {
  ADDRESS_RATE,
  createIngestHarness,
  eventually,
  type IngestHarness,
  SLOW_WRITE_KEY,
  WRITE_KEY,
} from '../testing/fakes.js';

jest.setTimeout(30_000);

const BURST = ADDRESS_RATE * ADDRESS_LIMITS.burstSeconds;
const track = { userId: 'u1', event: 'x' };
const inBody = JSON.stringify({ ...track, writeKey: WRITE_KEY });

let ingest: IngestHarness;
beforeEach(() => {
  ingest = createIngestHarness();
});
afterEach(() => ingest.server.close());

function post(
  payload: string | Buffer,
  {
    headers = {},
    from = '192.0.2.1',
    url = '/v1/track',
  }: { headers?: Record<string, string>; from?: string; url?: string } = {},
) {
  return ingest.server.inject({ method: 'POST', url, payload, headers, remoteAddress: from });
}

/** Uses up what an address may do at once. */
async function exhaust(from: string): Promise<void> {
  for (let i = 0; i < BURST; i++) await post('{}', { from });
}

/** Sends a request line and headers but no body, and resolves with the first bytes of the response. */
async function sendHead(headers: string, url = '/v1/track'): Promise<string> {
  const { hostname, port } = new URL(await ingest.listen());
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname, () =>
      socket.write(`POST ${url} HTTP/1.1\r\nHost: a.test\r\nContent-Length: 400000\r\n${headers}\r\n`),
    );
    socket.once('data', (data) => {
      socket.destroy();
      resolve(data.toString());
    });
  });
}

describe('before the body is read', () => {
  it.each([
    ['an unknown key in the header', 'Authorization: Bearer pk_unknown\r\n', '/v1/batch', 401],
    ['an unknown key in the query', '', '/beacon/v1/batch?writeKey=pk_unknown', 401],
  ])('%s is answered', async (_name, headers, url, status) => {
    expect(await sendHead(headers, url)).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  });

  it('a source above its rate is answered', async () => {
    const headers = { authorization: `Bearer ${SLOW_WRITE_KEY}` };
    const batch = JSON.stringify({ batch: Array(25).fill({ ...track, type: 'track' }) });
    expect((await post(batch, { headers, url: '/v1/batch' })).statusCode).toBe(200);
    expect(await sendHead(`Authorization: Bearer ${SLOW_WRITE_KEY}\r\n`)).toMatch(/^HTTP\/1.1 429 /);
  });

  it('an address above its limit is answered', async () => {
    await exhaust('127.0.0.1');
    expect(await sendHead('')).toMatch(/^HTTP\/1.1 429 /);
  });

  it('a body that nobody may send is not unpacked', async () => {
    const bomb = gzipSync(Buffer.alloc(100 * 1024 * 1024, 0x20));
    const headers = { authorization: 'Bearer pk_unknown', 'content-encoding': 'gzip' };
    expect((await post(bomb, { headers, url: '/v1/batch' })).statusCode).toBe(401);
  });
});

describe('the limit of an address', () => {
  it('admits a burst, then the rate, and says how long to wait', async () => {
    for (let i = 0; i < BURST; i++) expect((await post(inBody)).statusCode).toBe(200);
    const limited = await post(inBody);
    expect(limited.statusCode).toBe(429);
    expect(limited.headers).toMatchObject({ 'retry-after': '1', 'x-ratelimit-reset': '1' });
    expect(limited.json()).toMatchObject({ success: false, error: 'rate_limited' });
    ingest.clock.move(1_000);
    const statuses = [];
    for (let i = 0; i < ADDRESS_RATE + 1; i++) statuses.push((await post(inBody)).statusCode);
    expect(statuses).toEqual([...Array(ADDRESS_RATE).fill(200), 429]);
    expect(await ingest.readMetrics()).toMatch(/ingest_requests_limited_total\{limit="address".*\} 2/);
  });

  it('counts each address for itself, and an IPv6 network of 64 bits as one', async () => {
    await exhaust('2001:db8:1:2::1');
    expect((await post(inBody, { from: '2001:db8:1:2:ffff::9' })).statusCode).toBe(429);
    expect((await post(inBody, { from: '2001:db8:1:3::1' })).statusCode).toBe(200);
    expect((await post(inBody, { from: '192.0.2.9' })).statusCode).toBe(200);
  });

  it('does not stop a valid key in a header from the same address', async () => {
    const headers = { authorization: `Bearer ${WRITE_KEY}` };
    await post('{}', { headers });
    await exhaust('192.0.2.1');
    expect((await post(JSON.stringify(track), { headers })).statusCode).toBe(200);
    expect((await post('{}', { headers: { authorization: 'Bearer pk_other' } })).statusCode).toBe(429);
  });

  it('is used up by keys that are not known: each costs a lookup', async () => {
    for (let i = 0; i < BURST; i++) {
      expect((await post('{}', { headers: { authorization: `Bearer pk_${i}` } })).statusCode).toBe(401);
    }
    expect((await post('{}', { headers: { authorization: 'Bearer pk_x' } })).statusCode).toBe(429);
    expect(ingest.store.lookups).toBe(BURST);
  });

  it('does not count preflights', async () => {
    await exhaust('192.0.2.1');
    const preflight = { method: 'OPTIONS', url: '/v1/t', remoteAddress: '192.0.2.1' } as const;
    expect((await ingest.server.inject(preflight)).statusCode).toBe(204);
  });

  it.each([
    [0, '198.51.100.1, 203.0.113.7', '192.0.2.1'],
    [1, '198.51.100.1, 203.0.113.7', '203.0.113.7'],
    [2, '198.51.100.1, 203.0.113.7', '198.51.100.1'],
    [3, '198.51.100.1, 203.0.113.7', '198.51.100.1'],
  ])('behind %i proxies takes %s for what they say', async (trustedProxies, forwardedFor, address) => {
    await ingest.server.close();
    ingest = createIngestHarness({ trustedProxies });
    for (let i = 0; i < BURST; i++) await post('{}', { headers: { 'x-forwarded-for': forwardedFor } });
    const others = ['192.0.2.1', '203.0.113.7', '198.51.100.1'].filter((one) => one !== address);
    const from = (one: string) =>
      trustedProxies === 0
        ? post(inBody, { from: one, headers: { 'x-forwarded-for': forwardedFor } })
        : post(inBody, {
            headers: { 'x-forwarded-for': [one, ...Array(trustedProxies - 1).fill('10.0.0.1')].join(', ') },
          });
    expect((await from(address)).statusCode).toBe(429);
    for (const other of others) expect((await from(other)).statusCode).toBe(200);
  });
});

describe('the bytes of bodies at a time', () => {
  it('are bounded: 503 above, and free again when a request has ended', async () => {
    await ingest.server.close();
    ingest = createIngestHarness({ bodiesBytesMax: 1_000 });
    const large = JSON.stringify({ ...track, properties: { filler: 'x'.repeat(600) } });
    const headers = { authorization: `Bearer ${WRITE_KEY}` };
    ingest.producer.mode = 'hangs';
    const first = post(large, { headers });
    for (let i = 0; i < 20; i++) await new Promise(setImmediate);
    const second = await post(large, { headers });
    expect(second.statusCode).toBe(503);
    expect(second.headers['retry-after']).toBe('1');
    expect(await ingest.readMetrics()).toMatch(/ingest_requests_limited_total\{limit="bodies".*\} 1/);
    ingest.producer.release();
    expect((await first).statusCode).toBe(200);
    expect((await post(large, { headers })).statusCode).toBe(200);
  });

  it.each([
    ['an encoding', '/v1/track', { 'content-encoding': 'gzip' }],
    ['a query', '/v1/track?compression=gzip-js', {}],
  ])('count what a body may unpack to, when %s says that it is compressed', async (_case, url, encoding) => {
    await ingest.server.close();
    ingest = createIngestHarness({ bodiesBytesMax: 400_000 });
    const headers = { authorization: `Bearer ${WRITE_KEY}`, 'content-type': 'application/json', ...encoding };
    const payload = gzipSync(JSON.stringify(track));
    const packed = await ingest.server.inject({ method: 'POST', url, headers, payload });
    expect(packed.statusCode).toBe(503);
    expect((await post(JSON.stringify(track), { headers: { authorization: headers.authorization } })).statusCode).toBe(
      200,
    );
  });

  it('are freed by a client that leaves', async () => {
    await ingest.server.close();
    ingest = createIngestHarness({ bodiesBytesMax: 400_000 });
    const { hostname, port } = new URL(await ingest.listen());
    const head = `POST /v1/track HTTP/1.1\r\nHost: a.test\r\nContent-Length: 400000\r\nAuthorization: Bearer ${WRITE_KEY}\r\n\r\n`;
    const headers = { authorization: `Bearer ${WRITE_KEY}` };
    const socket = connect(Number(port), hostname, () => socket.write(`${head}{`));
    const untilStatus = (status: number) =>
      eventually(async () => expect((await post(JSON.stringify(track), { headers })).statusCode).toBe(status));
    await untilStatus(503);
    socket.destroy();
    await untilStatus(200);
  });
});
