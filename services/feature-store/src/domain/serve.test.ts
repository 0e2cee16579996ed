import { describe, expect, it } from '@jest/globals';
import { ECOMMERCE_FEATURES, FeatureSpecs } from '@perennial/feature-engine';
import { serveProfile } from './serve.js';

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
});
