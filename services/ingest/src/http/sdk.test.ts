import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import RudderAnalytics from '@rudderstack/rudder-sdk-node';
import { Analytics } from '@segment/analytics-node';
import { PostHog } from 'posthog-node';
import { createIngestHarness, eventually, FakeClock, type IngestHarness, WRITE_KEY } from '../testing/fakes.js';

jest.setTimeout(30_000);

/** The published SDKs against a listening server. */
describe('unmodified SDKs', () => {
  let ingest: IngestHarness;
  let url: string;

  beforeEach(async () => {
    ingest = createIngestHarness({ clock: new FakeClock(Date.now()) });
    url = await ingest.listen();
  });
  afterEach(() => ingest.server.close());

  it('@segment/analytics-node', async () => {
    const analytics = new Analytics({ writeKey: WRITE_KEY, host: url, flushAt: 3 });
    const errors: unknown[] = [];
    analytics.on('error', (error) => errors.push(error));
    analytics.identify({ userId: 'u1', traits: { plan: 'pro' } });
    analytics.track({ userId: 'u1', event: 'Order Completed', properties: { revenue: 12.5 } });
    analytics.page({ anonymousId: 'a1', name: 'Home' });
    analytics.group({ userId: 'u1', groupId: 'g1' });
    analytics.alias({ userId: 'u1', previousId: 'a1' });
    await analytics.closeAndFlush({ timeout: 10_000 });
    expect(errors).toEqual([]);
    expect(ingest.producer.rejected()).toEqual([]);
    expect(
      ingest.producer
        .accepted()
        .map(({ type }) => type)
        .sort(),
    ).toEqual(['alias', 'group', 'identify', 'page', 'track']);
    expect(ingest.producer.accepted().find(({ type }) => type === 'track')).toMatchObject({
      properties: { revenue: 12.5 },
    });
  });

  it('@rudderstack/rudder-sdk-node', async () => {
    const analytics = new RudderAnalytics(WRITE_KEY, { dataPlaneUrl: url, flushAt: 20, logLevel: 'error' });
    analytics.identify({ userId: 'u1', traits: { plan: 'pro' } });
    analytics.track({ userId: 'u1', event: 'Order Completed', properties: { revenue: 12.5 } });
    analytics.track({ anonymousId: 'a1', event: 'Seen' });
    await analytics.flush();
    expect(ingest.producer.rejected()).toEqual([]);
    expect(ingest.producer.accepted().map(({ type, anonymous }) => [type, anonymous])).toEqual([
      ['identify', false],
      ['track', false],
      ['track', true],
    ]);
  });

  it.each(['standard', 'batching'])('@segment/analytics-next on a page of another site, %s', async (strategy) => {
    const script = join(__dirname, '../testing/browser-page.mjs');
    const page = spawn(process.execPath, [script, url, WRITE_KEY, strategy], { stdio: ['ignore', 'inherit', 'pipe'] });
    let complaints = '';
    page.stderr.on('data', (text) => {
      complaints += String(text);
    });
    try {
      await eventually(() => {
        expect(complaints).toBe('');
        expect(ingest.producer.accepted()).toHaveLength(5);
      });
    } finally {
      page.kill('SIGKILL');
    }
    expect(ingest.producer.rejected()).toEqual([]);
    expect(ingest.producer.accepted()).toMatchObject([
      { type: 'identify', anonymous: false, properties: { plan: 'pro' } },
      { type: 'track', name: 'Order Completed', properties: { revenue: 12.5 } },
      { type: 'page', name: 'Tea', properties: { category: 'Shop', url: 'https://shop.example/tea' } },
      { type: 'group', properties: { groupId: 'g1' } },
      { type: 'alias' },
    ]);
  });

  it('posthog-node', async () => {
    const posthog = new PostHog(WRITE_KEY, { host: url, flushAt: 20, disableGeoip: true });
    posthog.capture({ distinctId: 'u1', event: 'Order Completed', properties: { revenue: 12.5 } });
    posthog.identify({ distinctId: 'u1', properties: { city: 'Ulm' } });
    posthog.alias({ distinctId: 'u1', alias: 'old' });
    await posthog.shutdown();
    expect(ingest.producer.rejected()).toEqual([]);
    expect(ingest.producer.accepted()).toMatchObject([
      { type: 'track', name: 'Order Completed', properties: { revenue: 12.5 } },
      { type: 'identify', properties: { city: 'Ulm' }, namedIds: [] },
      { type: 'alias', namedIds: [{ alias: false }, { alias: true }] },
    ]);
  });
});
