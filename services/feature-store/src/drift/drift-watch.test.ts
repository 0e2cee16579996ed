import { describe, expect, it } from '@jest/globals';
import { MemoryBlobStore } from '@perennial/blob-store/testing';
import { createMetrics } from '@perennial/telemetry';
import { createBaselineStore } from '../adapters/baseline-store.js';
import { DriftWatch } from './drift-watch.js';

const BASELINE = {
  steady: { edges: [4], shares: [0.5, 0.5, 0] },
  moved: { edges: [4], shares: [0.5, 0.5, 0] },
  unknown: { edges: [], shares: [1, 0] },
};

function setUp() {
  const metrics = createMetrics({ service: 'f', namespace: 'live', processMetrics: false });
  return { watch: new DriftWatch(metrics), text: () => metrics.registry.metrics() };
}

describe('drift of served values', () => {
  it('is reported by feature once enough profiles were seen, for the features that both sides have', async () => {
    const { watch, text } = setUp();
    watch.setBaseline(BASELINE);
    for (let i = 0; i < 100; i++) watch.add({ steady: i % 10, moved: null, other: 1 });
    expect(watch.observe()).toEqual({ profiles: 100, features: [] });
    for (let i = 0; i < 100; i++) watch.add({ steady: i % 10, moved: 1, other: 1 });
    const { profiles, features } = watch.observe();
    expect(profiles).toBe(200);
    expect(features.map(({ name }) => name)).toEqual(['steady', 'moved']);
    expect(features[0]).toMatchObject({ psi: 0, missing: 0 });
    expect(features[1]?.missing).toBe(0.5);
    expect(features[1]?.psi).toBeGreaterThan(0.25);
    expect(await text()).toMatch(/feature_drift_psi\{feature="steady",.*\} 0\n/);
    expect(await text()).toMatch(/feature_missing_ratio\{feature="moved",.*\} 0.5\n/);
  });

  it('forgets slowly what was seen long ago, and all with another baseline', async () => {
    const { watch, text } = setUp();
    watch.setBaseline(BASELINE);
    for (let i = 0; i < 20_000; i++) watch.add({ steady: 9 });
    const before = watch.observe().features[0]?.psi ?? 0;
    for (let i = 0; i < 20_000; i++) watch.add({ steady: i % 10 });
    expect(watch.observe().features[0]?.psi).toBeLessThan(before / 4);
    watch.setBaseline({ ...BASELINE });
    expect(watch.observe().profiles).toBeGreaterThan(0);
    watch.setBaseline({ steady: BASELINE.steady });
    expect(watch.observe()).toEqual({ profiles: 0, features: [] });
    expect(await text()).not.toMatch(/feature_drift_psi\{/);
  });

  it('keeps the baseline beside the archive', async () => {
    const store = createBaselineStore(new MemoryBlobStore(), 'live');
    expect(await store.load()).toBeUndefined();
    await store.save(BASELINE);
    expect(await store.load()).toEqual(BASELINE);
  });
});
