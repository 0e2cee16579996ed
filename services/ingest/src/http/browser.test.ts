import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { createIngestHarness, type IngestHarness, NOW_MS, WRITE_KEY } from '../testing/fakes.js';
import { PAGE_PATHS } from './event-paths.js';

jest.setTimeout(30_000);

const ORIGIN = 'https://shop.example.test';

let ingest: IngestHarness;
beforeEach(() => {
  ingest = createIngestHarness();
});
afterEach(() => ingest.server.close());

function preflight(url: string, requested: string | undefined, origin = ORIGIN) {
  return ingest.server.inject({
    method: 'OPTIONS',
    url,
    headers: {
      origin,
      'access-control-request-method': 'POST',
      ...(requested === undefined ? {} : { 'access-control-request-headers': requested }),
    },
  });
}

/** Whether a browser would send the request: the check of the Fetch standard, for one with credentials. */
function isAllowed({ headers, statusCode }: Awaited<ReturnType<typeof preflight>>, requested: string): boolean {
  const allowed = String(headers['access-control-allow-headers'])
    .split(',')
    .map((name) => name.trim().toLowerCase());
  return (
    statusCode >= 200 &&
    statusCode < 300 &&
    headers['access-control-allow-origin'] === ORIGIN &&
    headers['access-control-allow-credentials'] === 'true' &&
    requested.split(',').every((name) => allowed.includes(name.trim().toLowerCase()))
  );
}

describe('a preflight', () => {
  it.each([
    'anonymousid,authorization,content-type',
    'baggage,content-type,sentry-trace',
    'content-type,traceparent,tracestate',
    'content-type,x-datadog-origin,x-datadog-parent-id,x-datadog-sampling-priority,x-datadog-trace-id',
    'content-type,request-id,request-context',
    'newrelic,content-type',
    'b3,x-b3-traceid,x-b3-spanid,x-b3-sampled',
    'Content-Type, X-Requested-With',
  ])('for %s lets the request pass, on every path', async (requested) => {
    for (const path of PAGE_PATHS) expect(isAllowed(await preflight(path, requested), requested)).toBe(true);
  });

  it('lets any header pass that is a token', async () => {
    const token = fc.stringMatching(/^[!#$%&'*+.^_`|~0-9a-z-]{1,30}$/);
    await fc.assert(
      fc.asyncProperty(fc.array(token, { minLength: 1, maxLength: 40 }), async (names) => {
        const requested = names.join(',');
        expect(isAllowed(await preflight('/v1/track', requested), requested)).toBe(true);
      }),
      { seed: 15, numRuns: 50 },
    );
  });

  it('repeats nothing that is no token, and no list that is too long', async () => {
    const own = 'authorization, content-type, content-encoding';
    const ask = async (requested: string) =>
      (await preflight('/v1/track', requested)).headers['access-control-allow-headers'];
    expect(await ask('x-a, b c, d:e, <script>')).toBe(`${own}, x-a`);
    expect(await ask(`x-${'a'.repeat(5_000)}`)).toBe(own);
    expect((await preflight('/v1/track', undefined)).headers).toMatchObject({
      'access-control-allow-headers': own,
      'access-control-allow-methods': 'POST, OPTIONS',
      'access-control-max-age': '86400',
      vary: 'origin, access-control-request-headers',
    });
  });

  const cases = join(__dirname, '../../../../../shared/cases/c04-preflights.txt');
  (existsSync(cases) ? it : it.skip)('lets those of the collected cases pass', async () => {
    const lines = readFileSync(cases, 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('OPTIONS'));
    expect(lines.length).toBeGreaterThan(0);
    for (const line of lines) {
      const [, path = ''] = line.split(/\s+/);
      const requested = /Access-Control-Request-Headers: (\S+)/.exec(line)?.[1] ?? '';
      expect(isAllowed(await preflight(path, requested), requested)).toBe(true);
    }
  });

  it('is not answered on paths of operators', async () => {
    expect((await preflight('/v1/clock', 'authorization')).statusCode).toBe(404);
  });
});

const event = {
  uuid: 'm1',
  event: 'left',
  properties: { token: WRITE_KEY, distinct_id: 'u1', $lib: 'web', price: 5 },
  offset: 3_000,
};
const toBase64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64');
const POSTHOG_QUERY = `?ip=0&_=${NOW_MS}&ver=1.240.0`;
const TEXT = 'text/plain;charset=UTF-8';
const FORM = 'application/x-www-form-urlencoded';

/** Requests as SDKs send them when a page is left: no headers but those of the browser, so that no preflight is needed. */
describe('a beacon at page unload', () => {
  it.each([
    [
      "Segment's fetch with keepalive",
      '/v1/batch',
      TEXT,
      JSON.stringify({
        writeKey: WRITE_KEY,
        sentAt: new Date(NOW_MS),
        batch: [{ type: 'track', userId: 'u1', event: 'left', messageId: 'm1', properties: { price: 5 } }],
      }),
    ],
    [
      "RudderStack's beacon",
      `/beacon/v1/batch?writeKey=${WRITE_KEY}`,
      TEXT,
      JSON.stringify({
        batch: [{ type: 'track', userId: 'u1', event: 'left', messageId: 'm1', properties: { price: 5 } }],
      }),
    ],
    [
      "PostHog's beacon in base64",
      `/e/${POSTHOG_QUERY}&compression=base64&beacon=1`,
      FORM,
      `data=${encodeURIComponent(toBase64(event))}`,
    ],
    ["PostHog's list in base64, not percent-encoded", '/e/', FORM, `data=${toBase64([event])}`],
    [
      "PostHog's beacon without compression",
      `/i/v0/e/${POSTHOG_QUERY}&beacon=1`,
      'application/json',
      JSON.stringify([event]),
    ],
    ["PostHog's form in plain JSON", '/capture/', FORM, `data=${encodeURIComponent(JSON.stringify(event))}`],
    [
      "PostHog's gzip without its header",
      `/e/${POSTHOG_QUERY}&compression=gzip-js`,
      'text/plain',
      gzipSync(JSON.stringify([event])),
    ],
    [
      "PostHog's older form with the key outside",
      '/capture',
      'application/json',
      JSON.stringify({ api_key: WRITE_KEY, ...event }),
    ],
    ["PostHog's batch", '/i/v0/e', 'application/json', JSON.stringify({ api_key: WRITE_KEY, batch: [event] })],
  ])('%s arrives', async (_name, url, type, payload) => {
    const response = await ingest.server.inject({
      method: 'POST',
      url,
      payload,
      headers: { 'content-type': type, origin: ORIGIN },
    });
    expect(response.json()).toEqual({ success: true });
    expect(response.headers['access-control-allow-origin']).toBe(ORIGIN);
    expect(ingest.producer.accepted()).toMatchObject([{ type: 'track', name: 'left', messageId: 'm1' }]);
    const [accepted] = ingest.producer.accepted();
    expect(accepted?.properties).toMatchObject({ price: 5 });
    expect(JSON.stringify(accepted?.properties)).not.toContain(WRITE_KEY);
  });

  it('of PostHog happened as long before as it says, by whichever clock', async () => {
    const send = (query: string) =>
      ingest.server.inject({ method: 'POST', url: `/e/${query}`, payload: JSON.stringify([event]) });
    await send('');
    await send(`?_=${NOW_MS - 3_600_000}`);
    expect(ingest.producer.accepted().map(({ timestampMs }) => timestampMs)).toEqual([NOW_MS - 3_000, NOW_MS - 3_000]);
  });

  it.each([
    ['data=', 'not_json'],
    ['data=%%%', 'not_json'],
    ['data=eyJh', 'not_json'],
    ['date=1', 'not_json'],
    ['7', 'not_an_object'],
  ])('that is broken (%s) is answered 400', async (payload, error) => {
    const response = await ingest.server.inject({ method: 'POST', url: '/e/', payload });
    expect(response.statusCode).toBe(400);
    expect(response.json()).toMatchObject({ error });
  });
});
