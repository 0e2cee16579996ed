import { AcceptedRecord, encodeMessage, FeatureRecord, type FeaturesUpdated, toTopic } from '@perennial/contracts';
import type { FeatureSpecs } from '@perennial/feature-engine';
import { AppError, unreachable } from '@perennial/kernel';
import type { Decoded, Output, ProcessorDefinition } from '@perennial/keyed-processor';
import { type FeatureInput, foldEvent, foldTime } from './domain/fold.js';
import { createProfileStates, type ProfileState } from './domain/profile-state.js';
import type { FeatureStoreEvents } from './events.js';

/** Names the consumer group and the Redis keys; readers of profiles need it too. */
export const PROCESSOR_NAME = 'feature-store';

/** `event.accepted` -> profile state -> `feature.updated`: what this service does, for the keyed processor to run. */
export function createFeatureProcessor({
  namespace,
  events,
  specs,
}: {
  namespace: string;
  events: FeatureStoreEvents;
  specs: FeatureSpecs;
}): ProcessorDefinition<ProfileState, FeatureInput> {
  const outputTopic = toTopic(namespace, 'featureUpdated');
  const toOutput = (update: FeaturesUpdated): Output => ({
    topic: outputTopic,
    value: encodeRecord({ record: { $case: 'updated', value: update } }),
  });

  return {
    name: PROCESSOR_NAME,
    inputTopic: toTopic(namespace, 'eventAccepted'),
    codec: { ...createProfileStates(specs), timerAtMs: (state) => state.validUntilMs },
    decode: (record) => decodeAccepted(record.key, record.value),
    forward: (control) => ({ topic: outputTopic, value: encodeControl(control) }),
    step({ state, cause, context }) {
      const spec = specs.inForce(context.inForce.get('features'));
      const fold = { spec, specs, logTimeMs: context.logTimeMs };
      switch (cause.kind) {
        case 'record': {
          const result = foldEvent(state, cause.input, fold);
          if (result.kind === 'repeated') {
            events.repeated();
            return { state, outputs: [] };
          }
          events.folded({ before: state?.engine, after: result.state.engine, spec });
          return { state: result.state, outputs: [toOutput(result.update)] };
        }
        case 'timer': {
          if (state === undefined) return { state, outputs: [] };
          const moved = foldTime(state, fold);
          return { state: moved.state, outputs: [toOutput(moved.update)] };
        }
        default:
          return unreachable(cause);
      }
    },
  };
}

/** Reads a record of `event.accepted`; throws when it is none. */
export function decodeAccepted(key: Buffer | null, value: Buffer | null): Decoded<FeatureInput> {
  if (value === null) throw new AppError('contract_violation', 'record without a value');
  const { record } = AcceptedRecord.decode(value);
  switch (record?.$case) {
    case 'event':
      if (key === null || key.length === 0) throw new AppError('contract_violation', 'event without a profile key');
      return {
        kind: 'record',
        key: key.toString(),
        input: { event: record.value, properties: parseProperties(record.value.propertiesJson) },
      };
    case 'tick':
      return { kind: 'tick', timeMs: record.value.timeMs };
    case 'rollout':
      return { kind: 'rollout', rollout: record.value };
    case undefined:
      throw new AppError('contract_violation', 'record is neither event, tick nor rollout');
    default:
      return unreachable(record);
  }
}

function parseProperties(json: Buffer): unknown {
  return json.length === 0 ? {} : (JSON.parse(json.toString()) as unknown);
}

function encodeControl(control: Exclude<Decoded<FeatureInput>, { kind: 'record' }>): Buffer {
  return control.kind === 'tick'
    ? encodeRecord({ record: { $case: 'tick', value: { timeMs: control.timeMs } } })
    : encodeRecord({ record: { $case: 'rollout', value: control.rollout } });
}

function encodeRecord(record: FeatureRecord): Buffer {
  return encodeMessage(FeatureRecord, record);
}
