import { beforeEach, describe, expect, it } from '@jest/globals';
import type { ActionDecided, Rollout, ScoreComputed, SegmentSet } from '@perennial/contracts';
import { ECOMMERCE_FEATURES, FeatureSpecs } from '@perennial/feature-engine';
import { must } from '@perennial/kernel';
import type { StepContext, StepItem } from '@perennial/keyed-processor';
import { createPseudonymizer } from '@perennial/privacy';
import { createMetrics, createSilentLogger } from '@perennial/telemetry';
import { createActionArtifacts } from './artifacts.js';
import type { ActionState } from './domain/action-state.js';
import { type ActionProcessor, createActionProcessor } from './processor.js';
import { type ActionTelemetry, createActionTelemetry } from './telemetry.js';

const SPECS = new FeatureSpecs(ECOMMERCE_FEATURES);
const IDENTITY = createPseudonymizer('a secret of more than thirty-two characters');
const KEY = IDENTITY.toProfileKey({ userId: 'user-1' });
const NOON = Date.UTC(2025, 0, 15, 12);
const HOUR_MS = 3_600_000;
const POLICY: Rollout = { kind: 'policy', number: 3, hash: 'policy' };
const SEGMENTS: Rollout = { kind: 'segments', number: 7, hash: 'segments' };

const ARTIFACTS = new Map([
  [
    'policy',
    `version: 1
quietHours: { from: "21:00", to: "08:00" }
channels: { push: {} }
strategies:
  basket: { stages: [new], on: scored, channel: push, template: b, cooldown: 1d, when: in_segment("basket") }
  vip: { stages: [new], on: scored, channel: push, template: v, cooldown: 1d, when: segments.vip == true, priority: 5 }
`,
  ],
  ['segments', 'version: 1\nsegments:\n  vip: { when: "true" }\n  basket: { when: "true" }\n'],
  ['others', 'version: 1\nsegments:\n  vpi: { when: "true" }\n  basket: { when: "true" }\n'],
]);

let processor: ActionProcessor;
let telemetry: ActionTelemetry;

beforeEach(() => {
  const metrics = createMetrics({ service: 'action', namespace: 'live', processMetrics: false });
  telemetry = createActionTelemetry(createSilentLogger(), metrics);
  const store = {
    list: async () => [],
    load: async (_: string, hash: string) => Buffer.from(must(ARTIFACTS.get(hash), hash)),
  };
  const artifacts = createActionArtifacts(store, { specs: SPECS, telemetry });
  processor = createActionProcessor({ namespace: 'live', artifacts, specs: SPECS, pseudonymizer: IDENTITY, telemetry });
});

function score(asOfMs: number, segments: SegmentSet | undefined): ScoreComputed {
  const features = {
    specHash: SPECS.initial.specHash,
    asOfMs,
    values: SPECS.initial.names.map(() => 1),
    lastEventAtMs: asOfMs,
    subject: IDENTITY.seal('user-1'),
    timeZone: '',
    attributes: [],
    event: undefined,
  };
  return { modelHash: '', scores: [], stage: 'new', stageSinceMs: 0, transition: undefined, segments, features };
}

function toContext(rollouts: readonly Rollout[], logTimeMs = 0): StepContext {
  const inForce = new Map(rollouts.map((rollout) => [rollout.kind, rollout]));
  return { key: KEY, partition: 0, offset: 17, ordinal: 0, logTimeMs, inForce };
}

async function run(item: StepItem<ActionState, ScoreComputed>) {
  const [evidence] = await must(processor.prepare, 'prepare')([item]);
  const { state, outputs } = processor.step(item, must(evidence, 'evidence'));
  return { state, actions: outputs.map(({ value }) => JSON.parse(String(value)) as ActionDecided) };
}

const decide = (segments: SegmentSet | undefined, rollouts = [SEGMENTS, POLICY], asOfMs = NOON) =>
  run({
    state: undefined,
    cause: { kind: 'record', input: score(asOfMs, segments) },
    context: toContext(rollouts),
  });
const toSet = (bits: number, changeNumber = 0): SegmentSet => ({
  listNumber: 7,
  members: Buffer.of(bits),
  changeNumber,
});

describe('segments in the policy', () => {
  it('are those of the score, counted in the order of the file in force', async () => {
    expect((await decide(toSet(0b10))).actions).toMatchObject([
      { strategy: 'basket', reasons: ['is new', 'segments.basket = true'] },
    ]);
    expect((await decide(toSet(0b11))).actions).toMatchObject([{ strategy: 'vip' }]);
    expect((await decide(undefined)).actions).toEqual([]);
  });

  it('have no value while none are in force', async () => {
    expect((await decide(undefined, [POLICY])).actions).toEqual([]);
  });

  it('are the cause of an action when a change of them made the score', async () => {
    const { actions } = await decide(toSet(0b10, 4));
    expect(actions).toMatchObject([{ cause: { kind: 'segments', id: '4' } }]);
  });

  it('are never read in another order than they were counted in', async () => {
    await expect(decide({ ...toSet(0b10), listNumber: 6 })).rejects.toMatchObject({ code: 'contract_violation' });
  });

  it('are read again when an action waited for the end of quiet hours', async () => {
    const night = NOON + 11 * HOUR_MS;
    const waiting = await decide(toSet(0b10), undefined, night);
    expect(waiting.actions).toEqual([]);
    const release = (state: ActionState | undefined) =>
      run({
        state: processor.codec.decode(processor.codec.encode(must(state, 'a state'))),
        cause: { kind: 'timer', dueAtMs: night + 9 * HOUR_MS },
        context: toContext([SEGMENTS, POLICY], night + 9 * HOUR_MS),
      });
    expect((await release(waiting.state)).actions).toMatchObject([{ strategy: 'basket' }]);
    const left = await run({
      state: waiting.state,
      cause: { kind: 'record', input: score(night + 1, toSet(0, 5)) },
      context: toContext([SEGMENTS, POLICY]),
    });
    expect((await release(left.state)).actions).toEqual([]);
  });

  it('must be there for a policy that reads them', async () => {
    const others: Rollout = { kind: 'segments', number: 8, hash: 'others' };
    const rollOut = (...inForce: Rollout[]) => processor.loadRollout?.(POLICY, toContext(inForce).inForce);
    expect(await rollOut(others)).toEqual({
      reason:
        'policy 3 cannot come into force: it reads segments.vip (did you mean "segments.vpi"?), which segments 8 do not have',
    });
    expect(await rollOut(SEGMENTS)).toBeUndefined();
    expect(await rollOut()).toBeUndefined();
  });

  it('that new ones lack are reported, for their scores come in any case', async () => {
    const found: unknown[] = [];
    telemetry.segmentsMissing = (missing) => void found.push(missing);
    const others: Rollout = { kind: 'segments', number: 8, hash: 'others' };
    expect(await processor.loadRollout?.(others, toContext([POLICY]).inForce)).toBeUndefined();
    expect(found).toEqual([{ policy: 3, segments: 8, missing: 'segments.vip (did you mean "segments.vpi"?)' }]);
  });
});
