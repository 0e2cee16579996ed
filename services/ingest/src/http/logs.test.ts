import { connect } from 'node:net';
import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { createLogger } from '@perennial/telemetry';
import { createIngestHarness, type IngestHarness, WRITE_KEY } from '../testing/fakes.js';
import { EVENT_PATHS } from './event-paths.js';

const BASIC = Buffer.from(`${WRITE_KEY}:`).toString('base64');
const TOKEN = `pt_${'t'.repeat(43)}`;

// Several hundred requests take long on a busy machine.
jest.setTimeout(60_000);

let lines: string[];
let ingest: IngestHarness;
beforeEach(() => {
  lines = [];
  const destination = { write: (line: string) => void lines.push(line) };
  const logger = createLogger({ service: 'ingest', namespace: 'test', instanceId: 'i', level: 'trace', destination });
  ingest = createIngestHarness({ logger });
});
afterEach(() => ingest.server.close());

/** Sends bytes and leaves: as a browser that closes its page. */
function sendAndLeave(url: string, bytes: string): Promise<void> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname, () =>
      socket.write(bytes, () => setTimeout(() => socket.destroy(), 20)),
    );
    socket.on('close', () => resolve());
    socket.on('error', () => undefined);
  });
}

it('no log has a write key or a token, at any level, whatever went wrong', async () => {
  const url = await ingest.listen();
  const payload = JSON.stringify({ userId: 'u', event: 'x', writeKey: WRITE_KEY });
  const ways = [
    [`?writeKey=${WRITE_KEY}`, {}],
    [`?api_key=${WRITE_KEY}&x=1`, { authorization: `Basic ${BASIC}` }],
    ['', { authorization: `Bearer ${WRITE_KEY}`, cookie: WRITE_KEY }],
    ['', { authorization: `Bearer ${TOKEN}` }],
  ] as const;
  const paths = [...EVENT_PATHS, '/nowhere', '/v1/clock', '/health/ready'];
  for (const mode of ['works', 'away'] as const) {
    ingest.producer.mode = mode;
    for (const [query, headers] of ways) {
      for (const path of paths) {
        for (const method of ['POST', 'GET', 'OPTIONS', 'PUT'] as const) {
          await ingest.server.inject({
            method,
            url: `${path}${query}`,
            headers,
            ...(method === 'POST' && { payload }),
          });
        }
      }
    }
  }
  ingest.store.away = true;
  await ingest.server.inject({ method: 'POST', url: `/v1/t?writeKey=${WRITE_KEY}2`, payload });
  const head = `POST /v1/track?writeKey=${WRITE_KEY} HTTP/1.1\r\nHost: a\r\nAuthorization: Basic ${BASIC}\r\n`;
  await sendAndLeave(url, `${head}Content-Length: 100\r\n\r\n{`);
  await sendAndLeave(url, `${head}X-A : 1\r\n\r\n`);
  await sendAndLeave(url, `${head}Transfer-Encoding: chunked\r\n\r\nzz`);
  expect(lines.length).toBeGreaterThan(10);
  for (const secret of [WRITE_KEY, BASIC, TOKEN]) expect(lines.filter((line) => line.includes(secret))).toEqual([]);
});
