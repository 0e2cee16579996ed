import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { compileFeatures } from './compile.js';
import type { FeatureEvent } from './event.js';
import { requireFeatureFile } from './feature-file.js';
import { compareWithOracle, findPython } from './oracle-test-kit.js';
import { DAY_MS } from './time.js';

const ROOT = join(import.meta.dirname, '../../../..');
const RETAIL = join(ROOT, '../shared/data/online_retail.csv.gz');
/** Of the last three every eighth user: they differ from the first in the names of events. */
const PRESETS = [
  ['ecommerce', 'every user', 1],
  ['saas', 'every eighth user', 8],
  ['knowledge', 'every eighth user', 8],
  ['media', 'every eighth user', 8],
] as const;

const TIMEOUT_MS = 300_000;

const python = findPython();
/** Where Python or the data are missing the tests are listed as skipped. */
const itWithAll = python === undefined || !existsSync(RETAIL) ? it.skip : it;

describe('presets over a year of a real shop', () => {
  // 4,300 users, 28,000 events: the time is Python's.
  itWithAll.each(PRESETS)(
    '%s gives %s what the oracle gives',
    (name, _, step) => {
      const path = join(ROOT, 'infra/presets', name, 'features.yaml');
      const { definitions, rules } = requireFeatureFile(readFileSync(path), 'features.yaml');
      const spec = compileFeatures(definitions, rules);
      const users = [...readRetail().values()].filter((__, index) => index % step === 0);
      expect(users.length).toBeGreaterThan(4_000 / step);
      // Each user is read some days after the last event, so that windows have moved past a part of the events.
      const cases = users.map((events, index) => {
        const lastMs = Math.max(...events.map(({ timestampMs }) => timestampMs));
        return { definitions, events, atMs: lastMs + (index % 400) * DAY_MS };
      });
      const wrong = compareWithOracle(python ?? '', cases, ({ events, atMs }) => {
        let state = spec.empty;
        for (const event of events) state = spec.apply(state, event).state;
        return spec.vector(spec.decode(spec.encode(state)), atMs).values;
      });
      expect(wrong.slice(0, 3)).toEqual([]);
    },
    TIMEOUT_MS,
  );
});

interface Invoice {
  readonly userId: string;
  readonly timestampMs: number;
  readonly name: string;
  readonly products: Array<{ readonly product_id: string }>;
  revenueCents: number;
}

/** The events of each user: an order of an invoice's purchases, a refund of its returns, and a page before every third order. */
function readRetail(): Map<string, FeatureEvent[]> {
  const invoices = new Map<string, Invoice>();
  for (const row of gunzipSync(readFileSync(RETAIL)).toString().trim().split('\n').slice(1)) {
    const [userId = '', ts = '', type = '', product_id = '', invoice = '', , value = ''] = row.split(',');
    const name = type === 'purchase' ? 'Order Completed' : 'Order Refunded';
    const key = `${userId}/${invoice}/${name}`;
    const known = invoices.get(key) ?? { userId, timestampMs: Date.parse(ts), name, products: [], revenueCents: 0 };
    invoices.set(key, known);
    known.products.push({ product_id });
    known.revenueCents += Math.round(Number(value) * 100);
  }
  const users = new Map<string, FeatureEvent[]>();
  for (const { userId, timestampMs, name, products, revenueCents } of invoices.values()) {
    const events = users.get(userId) ?? [];
    users.set(userId, events);
    const messageId = `m${events.length}`;
    const event = { messageId, type: 'track', timestampMs };
    if (events.length % 3 === 0) {
      events.push({ ...event, messageId: `p${events.length}`, type: 'page', name: 'Home', properties: {} });
    }
    const coupon = ['', 'SPRING', undefined][events.length % 3];
    events.push({ ...event, name, properties: { revenue: revenueCents / 100, products, coupon } });
    if (events.length % 4 === 0) {
      const properties = { asset_id: `v${events.length % 7}` };
      events.push({ ...event, messageId: `v${events.length}`, name: 'Video Content Started', properties });
    }
  }
  return users;
}
