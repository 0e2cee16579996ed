import { describe, expect, it } from '@jest/globals';
import { FeatureRecord, ScoreRecord } from '@perennial/contracts';
import { toParts } from '@perennial/identity';
import { must } from '@perennial/kernel';
import type { Output, StepItem } from '@perennial/keyed-processor';
import { createPseudonymizer } from '@perennial/privacy';
import type { ScoringEvidence } from './domain/scoring-evidence.js';
import { createSegmentChangedWriter } from './domain/segment-changed.js';
import type { ScoringState } from './domain/state.js';
import { createJoinedReader, type StoredScoring, withJoins } from './joins.js';
import type { ScoringProcessor } from './processor.js';

const NOON = Date.UTC(2024, 4, 15, 12);
const DEVICE = 'device';
const user = { key: 'user', strength: 240, subject: Buffer.from('sealed') };
const pseudonymizer = createPseudonymizer('a secret that is long enough for tests');

const EVIDENCE = { asOfMs: NOON } as ScoringEvidence;
const prepared: number[] = [];
const profiles = {
  name: 'scoring',
  codec: { timerAtMs: ({ nextCheckAtMs }: ScoringState) => nextCheckAtMs },
  decode: () => ({ kind: 'tick', timeMs: NOON }),
  prepare: async (items: readonly unknown[]) => {
    prepared.push(items.length);
    return items.map(() => EVIDENCE);
  },
  step: ({ state }: StepItem<ScoringState, unknown>, evidence: ScoringEvidence) => {
    expect(evidence).toBe(EVIDENCE);
    return { state, outputs: [] };
  },
} as unknown as ScoringProcessor;
const definition = withJoins(profiles, {
  scoreTopic: 'scores',
  toSegmentChanged: createSegmentChangedWriter('live', pseudonymizer),
});

const state: ScoringState = {
  asOfMs: NOON,
  specHash: '',
  values: [],
  lastEventAtMs: NOON,
  subject: pseudonymizer.seal('phone'),
  timeZone: '',
  attributes: [],
  stage: { stage: 'prospect', sinceMs: NOON, number: 1 },
  segments: {
    number: 4,
    members: [
      { name: 'buyers', sinceMs: 1 },
      { name: 'fans', sinceMs: 2 },
    ],
    waiting: [],
  },
  nextCheckAtMs: NOON + 1,
  scores: undefined,
};

function toItem(before: StoredScoring | undefined) {
  const value = Buffer.from(FeatureRecord.encode({ record: { $case: 'joined', value: { to: user } } }).finish());
  const decoded = definition.decode({ key: Buffer.from(DEVICE), value } as Parameters<typeof definition.decode>[0]);
  if (decoded.kind !== 'record') throw new Error('no record of a profile');
  const inForce = new Map([['segments', { kind: 'segments', number: 3, hash: 'a' }]]);
  const context = { key: DEVICE, partition: 0, offset: 0, ordinal: 0, logTimeMs: NOON + 5, inForce };
  return { state: before, cause: { kind: 'record' as const, input: decoded.input }, context };
}

const toJson = ({ value }: Output) => JSON.parse(String(value)) as Record<string, unknown>;

describe('a profile that has joined another one', () => {
  it('is none any more, tells action, and leaves its segments', () => {
    const { state: after, outputs } = definition.step(toItem(state), undefined);
    expect(definition.codec.timerAtMs(must(after, 'a forwarder'))).toBeUndefined();
    const [joined, ...changes] = outputs;
    expect(ScoreRecord.decode(must(joined, 'a record').value).record).toEqual({ $case: 'joined', value: { to: user } });
    expect(changes.map(({ topic, key }) => [topic, key])).toEqual([
      ['lifecycle.segment.changed.v1', 'device:buyers'],
      ['lifecycle.segment.changed.v1', 'device:fans'],
    ]);
    const [left, next] = changes.map(toJson);
    expect(left).toMatchObject({
      number: 5,
      segment: 'buyers',
      change: 'left',
      cause: 'merge',
      at: new Date(NOON + 5).toISOString(),
    });
    expect(next).toMatchObject({ number: 6, segment: 'fans' });
  });

  it('is passed on where nobody knew it', () => {
    const { state: after, outputs } = definition.step(toItem(undefined), undefined);
    expect([toParts(after).profile, outputs.length]).toEqual([undefined, 1]);
  });

  it('needs no scores, and shifts nobody else in the batch', async () => {
    const timer = { ...toItem(state), cause: { kind: 'timer' as const, dueAtMs: NOON } };
    const evidence = await must(definition.prepare, 'it prepares')([timer, toItem(state), timer]);
    expect([evidence, prepared]).toEqual([[EVIDENCE, undefined, EVIDENCE], [2]]);
    expect(definition.step(timer, evidence[0]).state).toBe(state);
  });

  it('goes on from its stage, and with its numbers, once they are parted', () => {
    const { state: joined } = definition.step(toItem(state), undefined);
    const parted = { ...toItem(joined), cause: { kind: 'record' as const, input: {} as never } };
    const { profile, node } = toParts(definition.step(parted, EVIDENCE).state);
    expect(node).toMatchObject({ kind: 'root' });
    expect(profile).toMatchObject({
      stage: state.stage,
      segments: { number: 6, members: [] },
      nextCheckAtMs: undefined,
    });
  });

  it('is read where it is now', async () => {
    const { state: joined } = definition.step(toItem(state), undefined);
    const states: Record<string, StoredScoring | undefined> = { [DEVICE]: joined, user: state };
    const read = createJoinedReader(async (keys) =>
      keys.map((key) => ({ state: states[key], logTimeMs: NOON, inForce: new Map() })),
    );
    expect((await read([DEVICE, 'user', 'nobody'])).map((found) => found.state)).toEqual([state, state, undefined]);
  });
});
