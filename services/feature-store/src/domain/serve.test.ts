import { describe, expect, it } from '@jest/globals';
import { DAY_MS, ECOMMERCE_FEATURES, FeatureSpecs } from '@perennial/feature-engine';
import { serveProfile, serveTops } from './serve.js';

const NOON = Date.UTC(2024, 4, 15, 12);
const specs = new FeatureSpecs(ECOMMERCE_FEATURES);
const context = { spec: specs.initial, specs, currency: 'USD', logTimeMs: NOON, fill: undefined, part: undefined };

describe('a profile as it is served', () => {
  it('is not known before its first event, also where it has a tag', () => {
    const seen = { subject: Buffer.from('s'), timeZone: '', lastEventAtMs: 0, validUntilMs: undefined };
    const tagged = { ...seen, engine: specs.initial.empty };
    const { known, features } = serveProfile('anna', tagged, context);
    expect(known).toBe(false);
    expect(features).toEqual(serveProfile('anna', undefined, context).features);
    expect(serveProfile('anna', { ...tagged, lastEventAtMs: NOON }, context).known).toBe(true);
  });

  it('has the ids behind its features of frequencies, of the window and at the time that the features have', () => {
    const measure = { kind: 'id', properties: ['path'], list: undefined } as const;
    const pages = { unit: 'pages', event: { type: 'page', name: undefined }, measure, rank: 1 } as const;
    const wide = new FeatureSpecs([
      ...ECOMMERCE_FEATURES,
      { ...pages, name: 'top_page_all', aggregation: 'top_count', windowMs: undefined },
      { ...pages, name: 'top_page_7d', aggregation: 'top_count', windowMs: 7 * DAY_MS },
    ]);
    const spec = wide.initial;
    const seen = (index: number, path: string, timestampMs: number) =>
      ({ messageId: `m${index}`, type: 'page', name: '', timestampMs, properties: { path } }) as const;
    const events = [seen(1, '/old', NOON - 20 * DAY_MS), seen(2, '/old', NOON - 20 * DAY_MS), seen(3, '/new', NOON)];
    const engine = events.reduce((before, event) => spec.apply(before, event).state, spec.empty);
    const state = { subject: Buffer.from('s'), timeZone: '', lastEventAtMs: NOON, validUntilMs: undefined, engine };
    const [old, fresh] = [
      { id: '/old', count: 2 },
      { id: '/new', count: 1 },
    ];
    const by = { ...context, spec, specs: wide };
    expect(serveTops(state, by)).toEqual({ top_page_all: [old, fresh], top_page_7d: [fresh] });
    expect(serveTops(state, { ...by, logTimeMs: NOON + 30 * DAY_MS }).top_page_7d).toEqual([]);
    expect(serveTops(undefined, by)).toEqual({ top_page_all: [], top_page_7d: [] });
    expect(serveTops(undefined, context)).toEqual({});
  });
});
