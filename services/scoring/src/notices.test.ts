import { describe, expect, it } from '@jest/globals';
import { FoldedEvent, type Notice, ScoreRecord } from '@perennial/contracts';
import { ECOMMERCE_FEATURES, FeatureSpecs } from '@perennial/feature-engine';
import { must } from '@perennial/kernel';
import { stepProfile } from './domain/step.js';

const specs = new FeatureSpecs(ECOMMERCE_FEATURES);
const T0 = Date.UTC(2026, 0, 1);
const NOTICE: Notice = {
  notice: { $case: 'contact', value: { channel: 'email', strategy: '', campaign: 'spring', id: 'c' } },
};

function step(lastEventAtMs: number) {
  const spec = specs.initial;
  const values = spec.names.map(() => 0);
  const event = { messageId: 'c', type: 'contact', name: 'email', timestampMs: T0, value: 0, notice: NOTICE };
  const update = { specHash: spec.specHash, asOfMs: T0, values, lastEventAtMs, subject: Buffer.alloc(0), timeZone: '' };
  const context = { key: 'k', partition: 0, offset: 0, ordinal: 0, logTimeMs: T0, inForce: new Map() };
  const result = stepProfile(
    { state: undefined, cause: { kind: 'record', input: { ...update, attributes: [], event } }, context },
    { asOfMs: T0, spec, values, attributes: [], model: undefined, lifecycle: undefined, segments: undefined },
    { scoreTopic: 'scores', toStageChanged: () => ({ topic: '', value: Buffer.alloc(0) }), toSegmentChanged: () => [] },
  );
  const { record } = ScoreRecord.decode(must(result.outputs[0]?.value, 'an output'));
  if (record?.$case !== 'computed') throw new Error('no score');
  return { state: result.state, score: record.value };
}

describe('what others report', () => {
  it('goes on to action with the score', () => {
    const { state, score } = step(T0);
    expect(state).toBeDefined();
    expect(score.features?.event).toMatchObject({ type: 'contact', notice: NOTICE });
  });

  it('goes on alone for a profile that has done nothing: it has no stage and no state', () => {
    const { state, score } = step(0);
    expect(state).toBeUndefined();
    expect(score).toMatchObject({ stage: '', scores: [], features: { event: { notice: NOTICE } } });
  });

  it('takes no byte of an event without it', () => {
    const event = { messageId: 'm', type: 'track', name: 'x', timestampMs: 1, value: 2 };
    expect(FoldedEvent.encode({ ...event, notice: undefined }).finish().length).toBe(
      FoldedEvent.encode(event).finish().length,
    );
  });
});
