/** Remaining allowance of a source or an address; a value, so that the rule can be tested without a clock. */
export interface TokenBucket {
  readonly tokens: number;
  readonly atMs: number;
}

export type TokenDecision =
  | { readonly kind: 'admitted'; readonly bucket: TokenBucket }
  | { readonly kind: 'limited'; readonly bucket: TokenBucket; readonly retryAfterMs: number };

/**
 * Takes `count` tokens from a bucket that refills at `perSecond` and holds `capacity`, by default one second's worth. A
 * request is admitted while anything is left and may overdraw it: otherwise a batch larger than the bucket would never
 * be admitted. A count of 0 asks without taking.
 */
export function takeTokens(
  bucket: TokenBucket | undefined,
  request: {
    readonly count: number;
    readonly perSecond: number;
    readonly capacity?: number;
    readonly nowMs: number;
  },
): TokenDecision {
  const { count, perSecond, capacity = perSecond, nowMs } = request;
  const elapsedMs = bucket === undefined ? 0 : Math.max(0, nowMs - bucket.atMs);
  const held = bucket === undefined ? capacity : bucket.tokens + (elapsedMs / 1000) * perSecond;
  const tokens = Math.min(capacity, held);
  if (tokens > 0) return { kind: 'admitted', bucket: { tokens: tokens - count, atMs: nowMs } };
  // Until one whole event is allowed again; the wire format rounds up to whole seconds anyway.
  const retryAfterMs = Math.ceil(((1 - tokens) / perSecond) * 1000);
  return { kind: 'limited', bucket: { tokens, atMs: nowMs }, retryAfterMs };
}
