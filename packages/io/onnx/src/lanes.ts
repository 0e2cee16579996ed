/** Requests in a row without trouble, after which a lane that had some runs with the others again. */
export const PROBATION_REQUESTS = 256;

/** How a request went: `slow` for a run above `SLOW_RUN_CPU_MS`, `lost` for one that cost a process. */
export type Course = 'quick' | 'slow' | 'lost';

interface Apart {
  readonly cause: 'suspected' | 'slow' | 'lost';
  /** Requests without trouble that are left before the lane is trusted again. */
  readonly left: number;
}

/**
 * Which lanes (partitions) run apart from the others, since their rows cost processes or much time. By requests and not by
 * time, so that at most one request in `PROBATION_REQUESTS` of such a lane can hold up the others. It decides where rows
 * run, never what they come to.
 */
export class Lanes {
  readonly #known = new Set<string>();
  readonly #apart = new Map<string, Apart>();

  /** Slow lanes are together again where most are slow: then that is the model, and rows together cost less. */
  isApart(lane: string): boolean {
    this.#known.add(lane);
    const found = this.#apart.get(lane);
    return found !== undefined && (found.cause === 'lost' || !this.#isSlowUsual());
  }

  /** How the lanes' requests went, in one run together or one lane alone. */
  report(lanes: readonly string[], course: Course): void {
    const [lane = '', ...others] = lanes;
    if (course === 'quick') for (const each of lanes) this.#trust(each);
    else if (others.length === 0) this.#apart.set(lane, { cause: course, left: PROBATION_REQUESTS });
    // Each shows by itself in its next request whether it was the one.
    else if (!this.#isSlowUsual()) {
      for (const each of lanes) if (!this.#apart.has(each)) this.#apart.set(each, { cause: 'suspected', left: 1 });
    }
  }

  #isSlowUsual(): boolean {
    const slow = [...this.#apart.values()].filter(({ cause }) => cause === 'slow').length;
    return slow * 2 > this.#known.size;
  }

  #trust(lane: string): void {
    const found = this.#apart.get(lane);
    if (found === undefined) return;
    if (found.left > 1) this.#apart.set(lane, { ...found, left: found.left - 1 });
    else this.#apart.delete(lane);
  }
}
