import { describe, expect, it } from '@jest/globals';
import { type TokenBucket, takeTokens } from './token-bucket.js';

describe('takeTokens', () => {
  it('admits a second of events at once, then as many as refill', () => {
    const first = takeTokens(undefined, { count: 10, perSecond: 10, nowMs: 0 });
    expect(first.kind).toBe('admitted');
    const second = takeTokens(first.bucket, { count: 1, perSecond: 10, nowMs: 0 });
    expect(second).toMatchObject({ kind: 'limited', retryAfterMs: 100 });
    expect(takeTokens(second.bucket, { count: 1, perSecond: 10, nowMs: 100 }).kind).toBe('admitted');
  });

  it('lets a large batch overdraw, and pay for it in time', () => {
    const first = takeTokens(undefined, { count: 2500, perSecond: 100, nowMs: 0 });
    expect(first.kind).toBe('admitted');
    expect(takeTokens(first.bucket, { count: 1, perSecond: 100, nowMs: 23_000 }).kind).toBe('limited');
    expect(takeTokens(first.bucket, { count: 1, perSecond: 100, nowMs: 24_100 }).kind).toBe('admitted');
  });

  it('holds the rate in the long run, and bears a clock that goes back', () => {
    let bucket: TokenBucket | undefined;
    let admitted = 0;
    for (let nowMs = 0; nowMs < 60_000; nowMs += 7) {
      const decision = takeTokens(bucket, { count: 3, perSecond: 50, nowMs: nowMs % 70 === 0 ? nowMs - 5 : nowMs });
      bucket = decision.bucket;
      if (decision.kind === 'admitted') admitted += 3;
    }
    expect(admitted).toBeLessThanOrEqual(50 * 60 * 1.1 + 50);
    expect(admitted).toBeGreaterThanOrEqual(50 * 60 * 0.9);
  });
});
