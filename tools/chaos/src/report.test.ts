import { describe, expect, it } from '@jest/globals';
import { type ChaosReport, formatChaosReport, isMutantNoticed, listFailures } from './report.js';

const KEPT: ChaosReport = {
  seed: 1,
  seconds: 1,
  mutant: undefined,
  mutantReached: 0,
  injected: [],
  acknowledged: 1,
  repeats: 0,
  agedRepeats: 0,
  twins: 0,
  busy: { answers: 3, withoutRetryAfter: 0 },
  poison: 0,
  failedAttempts: {},
  abandoned: 0,
  missing: [],
  unwanted: [],
  standstills: [],
  accepted: 1,
  rejected: 0,
  deadLettered: 0,
  tickAheadMs: 0,
  actions: 2,
  transitions: 1,
  outcomes: 3,
  cancellations: 0,
  exposures: 0,
  edgeRepeats: 0,
  ledger: { actions: 2, transitions: 1, outcomes: 3 },
  unaskedExits: 0,
  crashes: [],
  peakMemoryBytes: { scoring: 300e6 },
  miscounts: [],
  misjoins: [],
  joined: {
    total: 2,
    people: 1,
    ids: 2,
    joins: 1,
    links: 0,
    handOvers: 1,
    forwardedEvents: 3,
    unmerges: 0,
    parted: 0,
    retracted: 0,
  },
  audit: { profiles: 2, vectors: 9, mismatches: 0, first: [] },
  difference: { lost: 0, doubled: 0, differing: 0, examples: [] },
};

describe('why a run has failed', () => {
  it('is nothing when all was kept', () => expect(listFailures(KEPT)).toEqual([]));

  it.each<[string, Partial<ChaosReport>, string]>([
    ['an acknowledged event that is nowhere', { missing: ['7'] }, '1 acknowledged events are nowhere: 7'],
    ['an event that must not count', { unwanted: ['8'] }, '1 events of aborted transactions were accepted: 8'],
    ['a partition that stood still', { standstills: ['scoring, partition 1 stood'] }, 'scoring, partition 1 stood'],
    ['an event that was counted twice', { miscounts: ['ada counts 2 of 1 events'] }, 'do not have each event once'],
    ['a person that is two profiles', { misjoins: ['k1 has no stage'] }, 'not one profile as they should: k1 has no'],
    [
      'features that the archive does not give',
      { audit: { profiles: 2, vectors: 9, mismatches: 1, first: ['k1'] } },
      'the archive gives 1 other features: k1',
    ],
    [
      'profiles that were not audited',
      { audit: { profiles: 1, vectors: 9, mismatches: 0, first: [] } },
      'the audit saw 1 profiles of 2 people',
    ],
    ['a crash', { crashes: ['scoring-4: Error: x'] }, '1 crashes: scoring-4: Error: x'],
    ['a 503 without Retry-After', { busy: { answers: 3, withoutRetryAfter: 1 } }, 'when to come again'],
    ['a service without bound', { peakMemoryBytes: { scoring: 2e9 } }, 'an instance of scoring had 1907 MB in memory'],
    ['a table with a hole', { ledger: { actions: 1, transitions: 1, outcomes: 3 } }, '1 of 2 actions'],
    ['an outcome that no table has', { ledger: { actions: 2, transitions: 1, outcomes: 2 } }, '2 of 3 outcomes'],
  ])('names %s', (_, change, failure) => {
    expect(listFailures({ ...KEPT, ...change })).toEqual([expect.stringContaining(failure)]);
  });
});

it('shows how long records waited during a fault, and until when', () => {
  const times = { inFlight: 7, fromMs: 0, untilMs: 1 };
  const report = formatChaosReport({
    ...KEPT,
    injected: [
      { fault: 'kill-service', row: 1, what: 'action', ...times, catchUpMs: 1500, longestDelayMs: 2500 },
      { fault: 'kill-service', row: 1, what: 'scoring', ...times, catchUpMs: 0, longestDelayMs: 900 },
    ],
  });
  expect(report).toMatch(/in flight {2}longest delay, s {2}caught up after, s/);
  expect(report).toMatch(/1 +kill-service +2 +7 +0\.9 to 2\.5 +0 to 1\.5\n/);
});

describe('whether a mutant was noticed', () => {
  const differing = { lost: 0, doubled: 0, differing: 1, examples: ['x'] };

  it.each([
    ['its rule was broken and the result differs', { mutantReached: 2, difference: differing }, true],
    ['its rule was broken and nothing differs', { mutantReached: 2 }, false],
    ['the result differs though no instance broke the rule', { difference: differing }, false],
  ])('%s', (_what, part, noticed) => {
    expect(isMutantNoticed({ ...KEPT, mutant: 'offset-not-checked', ...part })).toBe(noticed);
  });
});
