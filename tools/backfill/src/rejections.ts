import type { RejectedEvents } from './backfill-result.js';
import type { Delivery } from './event-sink.js';

const EXAMPLES_MAX = 3;
/** Reasons are a closed union of ingest; more would be a fault. */
const REASONS_MAX = 50;

/** Counts what ingest rejected, by reason. */
export class Rejections {
  readonly #reasons = new Map<string, { count: number; first: Array<{ line: number; message: string }> }>();
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add({ rejected }: Delivery): void {
    for (const { reason, message, event } of rejected) {
      this.#count++;
      const known = this.#reasons.get(reason) ?? { count: 0, first: [] };
      known.count++;
      if (known.first.length < EXAMPLES_MAX) known.first.push({ line: event?.line ?? 0, message });
      if (this.#reasons.size < REASONS_MAX) this.#reasons.set(reason, known);
    }
  }

  result(): RejectedEvents[] {
    return [...this.#reasons].map(([reason, found]) => ({ reason, ...found })).sort((a, b) => b.count - a.count);
  }
}
