import { describe, expect, it } from '@jest/globals';
import { listFailures } from './report.js';
import type { ChaosReport } from './run-chaos.js';

const KEPT: ChaosReport = {
  seed: 1,
  seconds: 1,
  breakage: undefined,
  injected: [],
  acknowledged: 1,
  repeats: 0,
  agedRepeats: 0,
  twins: 0,
  busy: { answers: 3, withoutRetryAfter: 0 },
  poison: 0,
  refusals: {},
  abandoned: 0,
  missing: [],
  accepted: 1,
  rejected: 0,
  deadLettered: 0,
  tickAheadMs: 0,
  actions: 2,
  transitions: 1,
  edgeRepeats: 0,
  ledger: { actions: 2, transitions: 1 },
  unaskedExits: 0,
  peakMemoryBytes: { scoring: 300e6 },
  miscounts: [],
  difference: { lost: 0, doubled: 0, differing: 0, examples: [] },
};

describe('why a run has failed', () => {
  it('is nothing when all was kept', () => expect(listFailures(KEPT)).toEqual([]));

  it.each<[string, Partial<ChaosReport>, string]>([
    ['an acknowledged event that is nowhere', { missing: ['7'] }, '1 acknowledged events are nowhere: 7'],
    ['an event that was counted twice', { miscounts: ['ada counts 2 of 1 events'] }, 'do not have each event once'],
    ['a 503 without Retry-After', { busy: { answers: 3, withoutRetryAfter: 1 } }, 'when to come again'],
    ['a service without bound', { peakMemoryBytes: { scoring: 2e9 } }, 'an instance of scoring had 1907 MB in memory'],
    ['a table with a hole', { ledger: { actions: 1, transitions: 1 } }, '1 of 2 actions'],
  ])('names %s', (_, change, failure) => {
    expect(listFailures({ ...KEPT, ...change })).toEqual([expect.stringContaining(failure)]);
  });
});
