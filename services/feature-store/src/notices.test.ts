import { describe, expect, it } from '@jest/globals';
import { INITIAL_RATES } from '@perennial/commerce';
import { AcceptedEvent, FeatureRecord, type FeaturesUpdated, type Notice } from '@perennial/contracts';
import { ECOMMERCE_FEATURES, FeatureSpecs } from '@perennial/feature-engine';
import { INITIAL_RULES } from '@perennial/identity';
import { must } from '@perennial/kernel';
import type { Cause, Output } from '@perennial/keyed-processor';
import { createMetrics } from '@perennial/telemetry';
import type { ProfileState } from './domain/profile-state.js';
import { createFills } from './fill/fills.js';
import { createFeatureProcessor } from './processor.js';
import { createFeatureTelemetry } from './telemetry.js';

const SPECS = new FeatureSpecs(ECOMMERCE_FEATURES);
const NOON = Date.UTC(2024, 4, 15, 12);
const NOTICE: Notice = {
  notice: { $case: 'outcome', value: { actionId: 'a', kind: 'opened', channel: 'email', value: undefined, topic: '' } },
};

describe('what others report of a profile', () => {
  it('goes on with its notice, and moves nothing but the time', () => {
    const before = step(undefined, event({ type: 'track', name: 'Order Completed', timeZone: 'Europe/Berlin' }));
    const after = step(before.state, event({ messageId: 'r', timestampMs: NOON + 9, receivedAtMs: NOON + 9 }));
    const [first, second] = [toUpdate(before.outputs), toUpdate(after.outputs)];
    expect(first.event?.notice).toBeUndefined();
    expect(second.event).toMatchObject({ messageId: 'r', type: 'outcome', name: 'opened', notice: NOTICE });
    expect(second).toMatchObject({ lastEventAtMs: NOON, timeZone: 'Europe/Berlin', subject: Buffer.from('sealed') });
    expect(second.values).toEqual(step(before.state, undefined, NOON + 9).values);
    expect(after.state?.about).toEqual(before.state?.about);
  });

  it('changes nothing a second time', () => {
    const { state } = step(undefined, event({}));
    expect(step(state, event({}))).toMatchObject({ state, outputs: [] });
  });

  it('is news where it comes with a second sighting of an order, which is none', () => {
    const order = { type: 'track', name: 'Order Completed', timeZone: 'Europe/Berlin' };
    const properties = { order_id: 'o1', revenue: 20 };
    const first = step(undefined, event({ ...order, messageId: 'server' }), 0, properties);
    const consent: Notice = {
      notice: {
        $case: 'consent',
        value: {
          purposes: [{ purpose: 'marketing', granted: false }],
          permissions: [],
          source: 'context',
          textVersion: '',
        },
      },
    };
    const again = { ...order, messageId: 'browser', receivedAtMs: NOON + 9 };
    const second = step(first.state, { ...event(again), notice: consent }, 0, properties);
    expect(toUpdate(second.outputs)).toMatchObject({
      event: { messageId: 'browser', type: 'consent', name: '', notice: consent },
      lastEventAtMs: NOON,
      asOfMs: NOON + 9,
    });
    expect(toUpdate(second.outputs).values).toEqual(step(first.state, undefined, NOON + 9).values);
    expect(step(first.state, event(again), 0, properties)).toMatchObject({ state: first.state, outputs: [] });
    const same = { ...event({ ...order, messageId: 'server' }), notice: consent };
    expect(step(first.state, same, 0, properties).outputs).toEqual([]);
  });

  it('leaves a profile that has done nothing without events, and takes the first ones as ever', () => {
    const reported = step(undefined, event({ subject: Buffer.alloc(0) }));
    expect(toUpdate(reported.outputs)).toMatchObject({ lastEventAtMs: 0, event: { notice: NOTICE } });
    expect(step(reported.state, undefined, NOON + 1e9).outputs).toEqual([]);
    const acted = step(reported.state, event({ messageId: 'e', type: 'page', notice: undefined }));
    expect(toUpdate(acted.outputs)).toMatchObject({ lastEventAtMs: NOON, subject: Buffer.from('sealed') });
  });
});

function step(
  state: ProfileState | undefined,
  input: AcceptedEvent | undefined,
  logTimeMs = 0,
  properties: unknown = {},
) {
  const definition = createFeatureProcessor({
    namespace: 'live',
    artifacts: {
      loadRollout: async () => undefined,
      rates: async () => INITIAL_RATES,
      identity: async () => INITIAL_RULES,
      fills: createFills({ load: async () => Buffer.alloc(0) }, SPECS),
    },
    telemetry: createFeatureTelemetry(
      createMetrics({ service: 'feature-store', namespace: 'live', processMetrics: false }),
    ),
    specs: SPECS,
  });
  const context = { key: 'k', partition: 0, offset: 1, ordinal: 0, logTimeMs, inForce: new Map() };
  const cause: Cause<{ event: AcceptedEvent; properties: unknown }> =
    input === undefined
      ? { kind: 'timer', dueAtMs: logTimeMs }
      : { kind: 'record', input: { event: input, properties } };
  const result = definition.step({ state, cause, context }, { rates: INITIAL_RATES });
  return { ...result, values: input === undefined && result.outputs.length > 0 ? toUpdate(result.outputs).values : [] };
}

function toUpdate(outputs: readonly Output[]): FeaturesUpdated {
  const { record } = FeatureRecord.decode(must(outputs[0]?.value, 'an output'));
  if (record?.$case !== 'updated') throw new Error('no update');
  return record.value;
}

function event(fields: Partial<AcceptedEvent>): AcceptedEvent {
  return {
    ...AcceptedEvent.decode(new Uint8Array()),
    messageId: 'm',
    type: 'outcome',
    name: 'opened',
    timestampMs: NOON,
    receivedAtMs: NOON,
    subject: Buffer.from('sealed'),
    notice: fields.type === 'track' ? undefined : NOTICE,
    ...fields,
  };
}
