import { PROCESSOR_NAMES } from '@perennial/contracts';
import { EDGE_NAMES, type RunResult } from './result.js';
import type { Written } from './written.js';

/** The differences between a run and the fault-free one over the same log. All must be zero. */
export interface Difference {
  /** Present without faults, absent with them. */
  readonly lost: number;
  /** Present only with faults. */
  readonly doubled: number;
  /** Present in both, with other content or in another order. */
  readonly differing: number;
  /** A description of the first difference of each kind. */
  readonly examples: readonly string[];
}

const EXAMPLES_MAX = 10;

/**
 * Compares states and timers byte by byte (by hash), the outputs for each profile that outsiders saw, in order, and the
 * records between the processors, one by one.
 */
export function compareResults(
  faulty: RunResult,
  faultless: RunResult,
  written: { readonly before: Written; readonly after: Written },
): Difference {
  const found = { lost: 0, doubled: 0, differing: 0 };
  const examples: string[] = [];
  const note = (kind: keyof typeof found, what: string) => {
    found[kind]++;
    if (examples.length < EXAMPLES_MAX) examples.push(`${kind}: ${what}`);
  };
  for (const processor of PROCESSOR_NAMES) {
    compareMaps(faulty.states[processor], faultless.states[processor], {
      same: (a, b) => a === b,
      note: (kind, key) => note(kind, `state of ${key} in ${processor}`),
    });
  }
  for (const edge of EDGE_NAMES) {
    compareMaps(faulty.edges[edge], faultless.edges[edge], {
      same: (a, b) => a.join() === b.join(),
      note: (kind, key) => note(kind, `${edge} of ${key}`),
    });
  }
  compareMaps(written.before.byPosition, written.after.byPosition, {
    same: (a, b) => a === b,
    note: (kind, position) => note(kind, `the record ${position}`),
  });
  for (const violation of [...faulty.violations, ...written.before.violations]) note('differing', violation);
  return { ...found, examples };
}

function compareMaps<V>(
  faulty: ReadonlyMap<string, V>,
  faultless: ReadonlyMap<string, V>,
  how: { same: (a: V, b: V) => boolean; note: (kind: 'lost' | 'doubled' | 'differing', key: string) => void },
): void {
  for (const [key, value] of faultless) {
    const other = faulty.get(key);
    if (other === undefined) how.note('lost', key);
    else if (!how.same(other, value)) how.note('differing', key);
  }
  for (const key of faulty.keys()) if (!faultless.has(key)) how.note('doubled', key);
}
