/** Measures from the acknowledgement of an event to the action that it caused, one pending event a user. */
export class LatencyMeter {
  readonly #pending = new Map<string, { ackedMs?: number; decidedMs?: number }>();
  readonly #samples: number[] = [];

  expect(userId: string): void {
    this.#pending.set(userId, {});
  }

  acked(userId: string, nowMs: number): void {
    this.#note(userId, { ackedMs: nowMs });
  }

  decided(userId: string, nowMs: number): void {
    this.#note(userId, { decidedMs: nowMs });
  }

  /** Milliseconds, or null without samples; `count` is the number of samples. */
  summary(): { p50: number | null; p99: number | null; count: number } {
    const sorted = [...this.#samples].sort((a, b) => a - b);
    return { p50: toQuantile(sorted, 0.5), p99: toQuantile(sorted, 0.99), count: sorted.length };
  }

  #note(userId: string, times: { ackedMs?: number; decidedMs?: number }): void {
    const pending = this.#pending.get(userId);
    if (pending === undefined) return;
    const both = { ...times, ...pending };
    this.#pending.set(userId, both);
    if (both.ackedMs === undefined || both.decidedMs === undefined) return;
    this.#pending.delete(userId);
    // The action may arrive before the answer: both are sent after the same acknowledgement of Kafka.
    this.#samples.push(Math.max(0, both.decidedMs - both.ackedMs));
  }
}

/** The smallest value with at least this share of all values at or below it. */
export function toQuantile(sorted: readonly number[], share: number): number | null {
  const value = sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)];
  return value === undefined ? null : Math.round(value * 100) / 100;
}
