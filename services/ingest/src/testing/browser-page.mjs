// A page of another site that uses @segment/analytics-next as browsers load it: node browser-page.mjs URL WRITE_KEY standard|batching
// A process of its own, since Jest cannot load jsdom's modules. Prints what goes wrong; whoever started it ends it.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { JSDOM, VirtualConsole } from 'jsdom';

const [url, writeKey, strategy] = process.argv.slice(2);
const sdk = dirname(createRequire(import.meta.url).resolve('@segment/analytics-next/package.json'));

const virtualConsole = new VirtualConsole();
for (const kind of ['jsdomError', 'error', 'warn']) {
  virtualConsole.on(kind, (...what) => process.stderr.write(`${kind}: ${what.join(' ')}\n`));
}
const { window } = new JSDOM('<!doctype html><title>Tea</title>', {
  url: 'https://shop.example/tea',
  runScripts: 'outside-only',
  virtualConsole,
});
window.eval(readFileSync(join(sdk, 'dist/umd/index.js'), 'utf8'));

const { host, protocol } = new URL(url);
const deliveryStrategy = strategy === 'batching' ? { strategy, config: { size: 5, timeout: 100 } } : { strategy };
const ingest = { apiHost: `${host}/v1`, protocol: protocol.replace(':', ''), deliveryStrategy };
const analytics = window.AnalyticsNext.AnalyticsBrowser.load(
  // Its settings, which it would else ask a server of its maker for.
  { writeKey, cdnSettings: { integrations: { 'Segment.io': { apiKey: writeKey, ...ingest } } } },
  { integrations: { 'Segment.io': ingest } },
);
await analytics.identify('u1', { plan: 'pro' });
await analytics.track('Order Completed', { revenue: 12.5 });
await analytics.page('Shop', 'Tea');
await analytics.group('g1');
await analytics.alias('u1', 'a1');
