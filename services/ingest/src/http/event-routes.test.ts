import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { toPartition } from '@perennial/contracts';
import { PUBLISH_LIMITS } from '../publisher.js';
import {
  createIngestHarness,
  type IngestHarness,
  NOW_MS,
  PARTITIONS,
  RECORDS,
  SLOW_WRITE_KEY,
  WRITE_KEY,
} from '../testing/fakes.js';

const BASIC = `Basic ${Buffer.from(`${WRITE_KEY}:`).toString('base64')}`;
const track = { type: 'track', userId: 'u1', event: 'Order Completed', messageId: 'm1', properties: { revenue: 10 } };

// Compressing a hundred megabytes takes long on a busy machine.
jest.setTimeout(30_000);

let ingest: IngestHarness;
beforeEach(() => {
  ingest = createIngestHarness();
});
afterEach(() => ingest.server.close());

function post(url: string, payload: unknown, headers: Record<string, string> = { authorization: BASIC }) {
  const body = Buffer.isBuffer(payload) || typeof payload === 'string' ? payload : JSON.stringify(payload);
  return ingest.server.inject({
    method: 'POST',
    url,
    payload: body,
    headers: { 'content-type': 'application/json', ...headers },
  });
}

describe('single calls', () => {
  it('takes JSON that begins with a byte order mark', async () => {
    expect((await post('/v1/track', `\ufeff${JSON.stringify(track)}`)).statusCode).toBe(200);
  });

  it('answers 200 and writes one record on the profile partition', async () => {
    const response = await post('/v1/track', track);
    expect(response.statusCode).toBe(200);
    expect(response.json()).toEqual({ success: true });
    const [event] = ingest.producer.accepted();
    const profileKey = RECORDS.pseudonymizer.toProfileKey({ userId: 'u1' });
    expect(event).toMatchObject({
      messageId: 'm1',
      sourceId: 'src_1',
      name: 'Order Completed',
      key: profileKey,
      partition: toPartition(profileKey, PARTITIONS),
      receivedAtMs: NOW_MS,
      anonymous: false,
      properties: { revenue: 10 },
    });
    expect(RECORDS.pseudonymizer.unseal(event?.subject ?? Buffer.alloc(0))).toBe('u1');
    expect(ingest.producer.sent[0]?.value?.includes('u1')).toBe(false);
  });

  it.each([
    ['/v1/track', { userId: 'u', event: 'x' }, 'track'],
    ['/v1/t', { userId: 'u', event: 'x' }, 'track'],
    ['/v1/identify', { userId: 'u' }, 'identify'],
    ['/v1/i', { userId: 'u' }, 'identify'],
    ['/v1/page', { anonymousId: 'u' }, 'page'],
    ['/v1/p', { anonymousId: 'u' }, 'page'],
    ['/v1/screen', { userId: 'u' }, 'screen'],
    ['/v1/s', { userId: 'u' }, 'screen'],
    ['/v1/group', { userId: 'u', groupId: 'g' }, 'group'],
    ['/v1/g', { userId: 'u', groupId: 'g' }, 'group'],
    ['/v1/alias', { userId: 'u', previousId: 'g' }, 'alias'],
    ['/v1/a', { userId: 'u', previousId: 'g' }, 'alias'],
  ])('%s', async (url, body, type) => {
    expect((await post(url, body)).statusCode).toBe(200);
    expect(ingest.producer.accepted()).toMatchObject([{ type, messageId: expect.stringMatching(/./) }]);
  });

  it("forwards what an order is worth, in the source's currency unless the event says another", async () => {
    const authorization = `Bearer ${SLOW_WRITE_KEY}`;
    await post('/v1/track', track, { authorization });
    await post('/v1/track', { ...track, properties: { total: '1,234.50', currency: 'jpy' } }, { authorization });
    await post('/v1/track', { ...track, context: { currency: 'chf' } }, { authorization });
    await post('/v1/track', track);
    const money = ingest.producer.accepted().map(({ amount, currency }) => ({ amount, currency }));
    expect(money).toEqual([
      { amount: 10, currency: 'EUR' },
      { amount: 1234.5, currency: 'JPY' },
      { amount: 10, currency: 'CHF' },
      { amount: 10, currency: '' },
    ]);
  });

  it('tells what is wrong, and keeps it', async () => {
    const response = await post('/v1/track', { ...track, userId: '' });
    expect(response.statusCode).toBe(400);
    expect(response.json()).toEqual({
      success: false,
      error: 'missing_id',
      message: 'userId or anonymousId is needed',
    });
    expect(ingest.producer.rejected()).toMatchObject([
      {
        reason: 'missing_id',
        step: 'ids',
        position: 'http',
        sourceId: 'src_1',
        encoding: 'json',
        receivedAt: '2026-05-01T12:00:00.000Z',
      },
    ]);
    expect(JSON.parse(ingest.producer.rejected()[0]?.event ?? '')).toEqual({ ...track, userId: '' });
  });

  it('says where JSON breaks, and keeps the bytes', async () => {
    const response = await post('/v1/track', '{"userId": NaN}');
    expect(response.statusCode).toBe(400);
    expect(response.json()).toMatchObject({ error: 'not_json', message: expect.stringMatching(/JSON.*N/) });
    expect(ingest.producer.rejected()).toMatchObject([{ encoding: 'base64' }]);
    expect(Buffer.from(ingest.producer.rejected()[0]?.event ?? '', 'base64').toString()).toBe('{"userId": NaN}');
  });

  it.each([
    ['', 'not_json'],
    ['[]', 'not_an_object'],
    ['"x"', 'not_an_object'],
    [Buffer.from([0x7b, 0xff, 0x7d]), 'not_json'],
  ])('answers 400 to the body %j', async (body, error) => {
    expect((await post('/v1/track', body)).json()).toMatchObject({ success: false, error });
  });

  it('answers 413 to an event of 33 KB, 200 to one of 32 KiB', async () => {
    const sized = (bytes: number) => {
      const empty = JSON.stringify({ ...track, properties: { filler: '' } }).length;
      return { ...track, properties: { filler: 'x'.repeat(bytes - empty) } };
    };
    const large = await post('/v1/track', sized(33_000));
    expect(large.statusCode).toBe(413);
    expect(large.json()).toMatchObject({ error: 'event_too_large' });
    expect(ingest.producer.rejected()[0]?.event.length).toBe(32_768);
    expect((await post('/v1/track', sized(32_768))).statusCode).toBe(200);
  });
});

describe('batches', () => {
  it('accepts the good, keeps the bad, answers 200', async () => {
    const batch = [track, { ...track, userId: undefined }, 7, { type: 'identify', userId: 'u2' }];
    const response = await post('/v1/batch', { batch, sentAt: new Date(NOW_MS).toISOString() });
    expect(response.statusCode).toBe(200);
    expect(response.json()).toMatchObject({
      success: true,
      rejected: [
        { index: 1, reason: 'missing_id' },
        { index: 2, reason: 'not_an_object' },
      ],
    });
    expect(ingest.producer.accepted().map(({ type }) => type)).toEqual(['track', 'identify']);
    expect(ingest.producer.rejected().map(({ reason }) => reason)).toEqual(['missing_id', 'not_an_object']);
  });

  it('keeps 2,500 equal bad events in one record, and counts each', async () => {
    const batch = Array.from({ length: 2_500 }, (_, i) => ({ type: 'track', event: `e${i}` }));
    const response = await post('/v1/batch', { batch });
    expect(response.json().rejected).toHaveLength(2_500);
    expect(ingest.producer.rejected()).toMatchObject([{ reason: 'missing_id', count: 2_500 }]);
    expect(await ingest.readMetrics()).toMatch(/ingest_events_rejected_total\{.*reason="missing_id".*\} 2500/);
  });

  it('corrects clocks by sentAt of the batch', async () => {
    const sentAt = new Date(NOW_MS + 60_000).toISOString();
    await post('/v1/b', { batch: [{ ...track, timestamp: new Date(NOW_MS + 50_000).toISOString() }], sentAt });
    expect(ingest.producer.accepted()[0]?.timestampMs).toBe(NOW_MS - 10_000);
  });

  it('measures each event of a large batch', async () => {
    const large = { ...track, properties: { filler: 'x'.repeat(33_000) } };
    const response = await post('/v1/batch', { batch: [track, large, track] });
    expect(response.json()).toMatchObject({ rejected: [{ index: 1, reason: 'event_too_large' }] });
    expect(ingest.producer.accepted()).toHaveLength(2);
  });

  it('rejects 501 KB, 2,501 events, and what is no batch', async () => {
    const filler = { ...track, properties: { filler: 'x'.repeat(10_000) } };
    const batch = Array.from({ length: 60 }, () => filler);
    while (JSON.stringify({ batch }).length > 501_000) batch.pop();
    const padded = JSON.stringify({ batch }).padEnd(501_000);
    expect((await post('/v1/batch', padded)).statusCode).toBe(413);
    const many = await post('/v1/batch', { batch: Array(2501).fill({ type: 'page', userId: 'u' }) });
    expect(many.statusCode).toBe(413);
    expect(many.json()).toMatchObject({ error: 'batch_too_large' });
    expect((await post('/v1/batch', { batch: Array(2500).fill({ type: 'page', userId: 'u' }) })).statusCode).toBe(200);
    expect((await post('/v1/batch', { batch: {} })).json()).toMatchObject({ error: 'invalid_batch' });
    expect((await post('/v1/batch', { batch: [] })).statusCode).toBe(200);
  });

  it("takes PostHog's form", async () => {
    const payload = {
      api_key: WRITE_KEY,
      batch: [
        {
          event: 'signed up',
          distinct_id: 'u1',
          uuid: 'm1',
          properties: { plan: 'pro', $timezone: 'Asia/Tokyo' },
          timestamp: new Date(NOW_MS - 1000).toISOString(),
        },
        { event: '$identify', distinct_id: 'u1', properties: { $anon_distinct_id: 'a1', $set: { city: 'Ulm' } } },
        { event: '$create_alias', distinct_id: 'u1', properties: { alias: 'old' } },
        { event: '$groupidentify', distinct_id: 'u1', properties: { $group_key: 'g1', $group_set: { size: 2 } } },
        { event: 'x' },
      ],
    };
    for (const path of ['/batch/', '/batch']) {
      const response = await post(path, payload, {});
      expect(response.json()).toMatchObject({ success: true, rejected: [{ index: 4, reason: 'missing_id' }] });
    }
    expect(ingest.producer.accepted().slice(0, 4)).toMatchObject([
      { type: 'track', name: 'signed up', messageId: 'm1', timestampMs: NOW_MS - 1000, timeZone: 'Asia/Tokyo' },
      { type: 'identify', properties: { city: 'Ulm' } },
      { type: 'alias' },
      { type: 'group', properties: { size: 2, groupId: 'g1' } },
    ]);
  });
});

describe('bodies', () => {
  it.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
  ])('inflates %s', async (encoding, compress) => {
    const body = compress(Buffer.from(JSON.stringify({ batch: [track] })));
    expect((await post('/v1/batch', body, { authorization: BASIC, 'content-encoding': encoding })).statusCode).toBe(
      200,
    );
    expect(ingest.producer.accepted()).toHaveLength(1);
  });

  it('stops at a gzip bomb', async () => {
    const bomb = gzipSync(Buffer.alloc(100 * 1024 * 1024, 0x20));
    expect(bomb.length).toBeLessThan(400_000);
    const before = process.memoryUsage().arrayBuffers;
    const response = await post('/v1/batch', bomb, { authorization: BASIC, 'content-encoding': 'gzip' });
    expect(response.statusCode).toBe(413);
    expect(response.json()).toMatchObject({ success: false, error: 'body_too_large' });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(20 * 1024 * 1024);
  });

  it('answers 400 to what is not gzip, 415 to unknown encodings', async () => {
    const headers = { authorization: BASIC, 'content-encoding': 'gzip' };
    expect((await post('/v1/track', 'plain', headers)).json()).toMatchObject({ error: 'invalid_encoding' });
    const cut = gzipSync(Buffer.from(JSON.stringify(track))).subarray(0, 40);
    expect((await post('/v1/track', cut, headers)).statusCode).toBe(400);
    expect((await post('/v1/track', track, { authorization: BASIC, 'content-encoding': 'zstd' })).statusCode).toBe(415);
  });

  it('takes text/plain and no content type, as beacons send it', async () => {
    const payload = JSON.stringify({ ...track, writeKey: WRITE_KEY });
    expect((await post('/v1/t', payload, { 'content-type': 'text/plain;charset=UTF-8' })).statusCode).toBe(200);
    const bare = await ingest.server.inject({ method: 'POST', url: '/v1/t', payload });
    expect(bare.statusCode).toBe(200);
  });

  it('lets browsers of any site send', async () => {
    const origin = { origin: 'https://shop.test' };
    const preflight = await ingest.server.inject({
      method: 'OPTIONS',
      url: '/v1/t',
      headers: { ...origin, 'access-control-request-method': 'POST' },
    });
    expect(preflight.statusCode).toBe(204);
    expect(preflight.headers).toMatchObject({
      'access-control-allow-origin': 'https://shop.test',
      'access-control-allow-credentials': 'true',
      'access-control-allow-headers': expect.stringContaining('content-type'),
      vary: 'origin, access-control-request-headers',
    });
    const response = await post('/v1/t', { ...track, writeKey: 'wrong' }, origin);
    expect(response.statusCode).toBe(401);
    expect(response.headers).toMatchObject({ 'access-control-allow-origin': 'https://shop.test', vary: 'origin' });
  });
});

describe('who may send', () => {
  it.each([
    ['Basic', { authorization: BASIC }, {}],
    ['Bearer', { authorization: `Bearer ${WRITE_KEY}` }, {}],
    ['writeKey', {}, { writeKey: WRITE_KEY }],
    ['api_key', {}, { api_key: WRITE_KEY }],
  ])('%s', async (_name, headers, extra) => {
    expect((await post('/v1/track', { ...track, ...extra }, headers as Record<string, string>)).statusCode).toBe(200);
  });

  it.each([
    ['nothing', {}, {}],
    ['an unknown key', { authorization: 'Bearer pk_unknown' }, {}],
    ['an unknown key beside a good one in the body', { authorization: 'Bearer pk_unknown' }, { writeKey: WRITE_KEY }],
    ['a key of 10 KB', {}, { writeKey: 'x'.repeat(10_240) }],
    ['a key of wrong type', {}, { writeKey: { $ne: 1 } }],
  ])('401 for %s', async (_name, headers, extra) => {
    const response = await post('/v1/track', { ...track, ...extra }, headers as Record<string, string>);
    expect(response.statusCode).toBe(401);
    expect(response.json()).toMatchObject({ success: false, error: 'invalid_write_key' });
    expect(ingest.producer.sent).toHaveLength(0);
  });

  it('429 with how long to wait, above the rate of the source', async () => {
    const headers = { authorization: `Bearer ${SLOW_WRITE_KEY}` };
    expect((await post('/v1/batch', { batch: Array(25).fill(track) }, headers)).statusCode).toBe(200);
    const limited = await post('/v1/track', track, headers);
    expect(limited.statusCode).toBe(429);
    expect(limited.headers).toMatchObject({ 'retry-after': '2', 'x-ratelimit-reset': '2' });
    expect((await post('/v1/track', track)).statusCode).toBe(200);
    ingest.clock.move(2_000);
    expect((await post('/v1/track', track, headers)).statusCode).toBe(200);
  });

  it('goes on with known keys while the store is away, 503 for others', async () => {
    await post('/v1/track', track);
    ingest.store.away = true;
    ingest.clock.move(11_000);
    expect((await post('/v1/track', track)).statusCode).toBe(200);
    const unknown = await post('/v1/track', track, { authorization: 'Bearer other' });
    expect(unknown.statusCode).toBe(503);
    expect(unknown.headers['retry-after']).toBe('1');
  });

  it('goes on with known keys while the store does not answer', async () => {
    await post('/v1/track', track);
    ingest.store.silent = true;
    ingest.clock.move(11_000);
    expect((await post('/v1/track', track)).statusCode).toBe(200);
    ingest.clock.move(900);
    expect((await post('/v1/track', track)).statusCode).toBe(200);
    expect(ingest.store.lookups).toBe(2);
  });

  it('remembers answers for ten seconds, wrong keys too', async () => {
    for (let i = 0; i < 5; i++) await post('/v1/track', track);
    for (let i = 0; i < 5; i++) await post('/v1/track', track, { authorization: 'Bearer other' });
    expect(ingest.store.lookups).toBe(2);
    ingest.store.sources.clear();
    ingest.clock.move(10_000);
    expect((await post('/v1/track', track)).statusCode).toBe(401);
  });
});

describe('Kafka in trouble', () => {
  it('503 with Retry-After while it is away: never a lost 200', async () => {
    ingest.producer.mode = 'away';
    const response = await post('/v1/track', track);
    expect(response.statusCode).toBe(503);
    expect(response.headers['retry-after']).toBe('1');
    expect((await post('/v1/track', { userId: 1.5 })).statusCode).toBe(503);
  });

  it('503 after a bounded wait when it does not answer', async () => {
    ingest.producer.mode = 'hangs';
    const pending = post('/v1/track', track);
    for (let i = 0; i < 20; i++) await new Promise(setImmediate);
    ingest.clock.move(PUBLISH_LIMITS.ackTimeoutMs);
    expect((await pending).json()).toMatchObject({ error: 'timeout' });
  });

  it('503 at once when too much is under way, and 200 again when it has gone', async () => {
    await ingest.server.close();
    ingest = createIngestHarness({ limits: { ...PUBLISH_LIMITS, inFlightRecordsMax: 2 } });
    ingest.producer.mode = 'hangs';
    const pending = [post('/v1/track', track), post('/v1/track', track)];
    for (let i = 0; i < 20; i++) await new Promise(setImmediate);
    expect((await post('/v1/track', track)).json()).toMatchObject({ error: 'resource_exhausted' });
    ingest.producer.release();
    expect((await Promise.all(pending)).map(({ statusCode }) => statusCode)).toEqual([200, 200]);
    expect((await post('/v1/track', track)).statusCode).toBe(200);
  });
});
