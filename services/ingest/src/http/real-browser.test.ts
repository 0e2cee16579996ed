import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { systemClock } from '@perennial/kernel';
import { createIngestHarness, eventually, FakeClock, type IngestHarness, WRITE_KEY } from '../testing/fakes.js';

jest.setTimeout(60_000);

const REMOVE_TRIES_MAX = 100;
const REMOVE_AGAIN_MS = 100;

/** A browser of the system. Without one the test is skipped: the others say what a browser would send. */
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
if (!existsSync(CHROMIUM)) process.stderr.write(`skipped: there is no ${CHROMIUM}\n`);
const describeWithBrowser = existsSync(CHROMIUM) ? describe : describe.skip;

const SDK = join(dirname(require.resolve('@segment/analytics-next/package.json')), 'dist/umd');
const FLAGS = [
  ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-extensions'],
];

/** Loads the unmodified SDK as `analytics`; `DELIVERY` is its strategy. */
function toPage({ url, delivery, script }: { url: string; delivery: object; script: string }): string {
  const { host } = new URL(url);
  const ingest = { apiHost: `${host}/v1`, protocol: 'http', deliveryStrategy: delivery };
  const load = {
    writeKey: WRITE_KEY,
    cdnSettings: { integrations: { 'Segment.io': { apiKey: WRITE_KEY, ...ingest } } },
  };
  const options = { integrations: { 'Segment.io': ingest } };
  return `<!doctype html><title>Tea</title><link rel="icon" href="data:,"><script src="/sdk/index.js"></script><script>
    const analytics = AnalyticsNext.AnalyticsBrowser.load(${JSON.stringify(load)}, ${JSON.stringify(options)});
    (async () => { ${script} })();
  </script>`;
}

/** Everything is sent while the page is there; then it is left for the next one. */
const FIRST = `
  await analytics.identify('u1', { plan: 'pro' });
  await analytics.track('Order Completed', { order_id: '1', revenue: 12.5 });
  await analytics.page('Shop', 'Tea');
  const headers = { 'content-type': 'application/json', traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };
  await fetch(INGEST + '/v1/track', { method: 'POST', headers, body: JSON.stringify({ writeKey: KEY, userId: 'u1', event: 'Traced' }) });
  location.href = '/cart';`;

/** The SDK still holds its event when the page is left, and the page's own beacons go out then, too. */
const LAST = `
  await analytics.track('Left by SDK');
  const track = (event) => JSON.stringify({ writeKey: KEY, batch: [{ type: 'track', userId: 'u1', event }] });
  addEventListener('pagehide', () => {
    navigator.sendBeacon(INGEST + '/v1/batch', track('Left by text'));
    navigator.sendBeacon(INGEST + '/v1/batch', new Blob([track('Left by JSON')], { type: 'application/json' }));
  });
  location.href = '/done';`;

function startShop(ingestUrl: string): Promise<Server> {
  const fill = (script: string) =>
    script.replaceAll('INGEST', JSON.stringify(ingestUrl)).replaceAll('KEY', JSON.stringify(WRITE_KEY));
  const pages: Readonly<Record<string, string>> = {
    '/tea': toPage({ url: ingestUrl, delivery: { strategy: 'standard' }, script: fill(FIRST) }),
    '/cart': toPage({
      url: ingestUrl,
      delivery: { strategy: 'batching', config: { size: 10, timeout: 3_600_000 } },
      script: fill(LAST),
    }),
    '/done': '<!doctype html><title>Done</title>',
  };
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://shop').pathname;
    if (path.startsWith('/sdk/') && !path.includes('..')) {
      response.setHeader('content-type', 'text/javascript');
      response.end(readFileSync(join(SDK, path.slice('/sdk/'.length))));
      return;
    }
    response.setHeader('content-type', 'text/html; charset=utf-8');
    response.end(pages[path] ?? '');
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

/** The browser's other processes end a little later than it, and write until then: what they wrote is removed with the next try. */
async function removeFolder(folder: string): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return rmSync(folder, { recursive: true, force: true });
    } catch (error) {
      if (tries === REMOVE_TRIES_MAX) throw error;
      await systemClock.wait(REMOVE_AGAIN_MS);
    }
  }
}

describeWithBrowser('a real browser on a page of another site', () => {
  let ingest: IngestHarness;
  let shop: Server;
  let browser: ChildProcess | undefined;
  const profile = mkdtempSync(join(tmpdir(), 'perennial-browser-'));

  beforeEach(async () => {
    ingest = createIngestHarness({ clock: new FakeClock(Date.now()) });
    shop = await startShop(await ingest.listen());
  });

  afterEach(async () => {
    const ended = browser && new Promise((resolve) => browser?.once('exit', resolve));
    browser?.kill('SIGKILL');
    await ended;
    shop.closeAllConnections();
    shop.close();
    await ingest.server.close();
    await removeFolder(profile);
  });

  it("sends what @segment/analytics-next sends, at once and at unload, and the page's own beacons", async () => {
    const url = `http://127.0.0.1:${(shop.address() as AddressInfo).port}/tea`;
    // Headless, a browser ends with its page; with a debugging port it stays, as one with a window does.
    const args = [...FLAGS, '--remote-debugging-port=0', `--user-data-dir=${profile}`, url];
    browser = spawn(CHROMIUM, args, { stdio: 'ignore' });
    await eventually(() => expect(ingest.producer.accepted()).toHaveLength(7));
    expect(ingest.producer.rejected()).toEqual([]);
    expect(
      ingest.producer
        .accepted()
        .map(({ type, name }) => `${type} ${name}`.trim())
        .toSorted(),
    ).toEqual([
      'identify',
      'page Tea',
      'track Left by JSON',
      'track Left by SDK',
      'track Left by text',
      'track Order Completed',
      'track Traced',
    ]);
  });
});
