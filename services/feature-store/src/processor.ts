import type { RateTable } from '@perennial/commerce';
import {
  AcceptedRecord,
  encodeControl,
  encodeMessage,
  FeatureRecord,
  type FeaturesUpdated,
  PROCESSORS,
  toControl,
  toTopic,
  toUpstream,
} from '@perennial/contracts';
import type { FeatureSpecs } from '@perennial/feature-engine';
import { AppError, unreachable } from '@perennial/kernel';
import type { Decoded, Output, ProcessorDefinition } from '@perennial/keyed-processor';
import type { FeatureArtifacts } from './artifacts.js';
import { type FeatureInput, foldEvent, foldTime } from './domain/fold.js';
import { createProfileStates, type ProfileState } from './domain/profile-state.js';
import type { FeatureTelemetry } from './telemetry.js';

/** Name in the consumer group and the Redis keys; readers of profiles need it too. */
export const PROCESSOR_NAME = 'feature-store';

/** `event.accepted` -> profile state -> `feature.updated`: the definition that the keyed processor runs. */
export function createFeatureProcessor({
  namespace,
  artifacts,
  telemetry,
  specs,
}: {
  namespace: string;
  artifacts: Pick<FeatureArtifacts, 'loadRollout' | 'rates'>;
  telemetry: FeatureTelemetry;
  specs: FeatureSpecs;
}): ProcessorDefinition<ProfileState, FeatureInput, RateTable> {
  const outputTopic = toTopic(namespace, 'featureUpdated');
  const toOutput = (update: FeaturesUpdated): Output => ({
    topic: outputTopic,
    value: encodeMessage(FeatureRecord, { record: { $case: 'updated', value: update } }),
  });

  return {
    name: PROCESSOR_NAME,
    inputTopic: toTopic(namespace, PROCESSORS[PROCESSOR_NAME].input),
    sources: toUpstream(namespace, PROCESSOR_NAME),
    codec: { ...createProfileStates(specs), timerAtMs: (state) => state.validUntilMs },
    decode: (record) => decodeAccepted(record.key, record.value),
    forward: (control) => ({ topic: outputTopic, value: encodeControl(FeatureRecord, control) }),
    loadRollout: artifacts.loadRollout,
    // Loaded with their rollouts; from the cache unless more tables are in force than it keeps.
    prepare: (items) => Promise.all(items.map(({ context }) => artifacts.rates(context.inForce.get('rates')))),
    step({ state, cause, context }, rates) {
      const spec = specs.inForce(context.inForce.get('features'));
      const fold = { spec, specs, rates, logTimeMs: context.logTimeMs };
      switch (cause.kind) {
        case 'record': {
          const result = foldEvent(state, cause.input, fold);
          if (result.kind === 'repeated') {
            telemetry.repeated(result);
            return { state, outputs: [] };
          }
          telemetry.folded({ before: state?.engine, after: result.state.engine, spec, result });
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

/** Decodes a record of `event.accepted`; throws when it is not valid. */
export function decodeAccepted(key: Buffer | null, value: Buffer | null): Decoded<FeatureInput> {
  if (value === null) throw new AppError('contract_violation', 'record without a value');
  const { record } = AcceptedRecord.decode(value);
  const control = toControl(record);
  if (control !== undefined) return control;
  if (record?.$case !== 'event') throw new AppError('contract_violation', 'record is neither event, tick nor rollout');
  if (key === null || key.length === 0) throw new AppError('contract_violation', 'event without a profile key');
  return {
    kind: 'record',
    key: key.toString(),
    input: { event: record.value, properties: parseProperties(record.value.propertiesJson) },
  };
}

function parseProperties(json: Buffer): unknown {
  return json.length === 0 ? {} : (JSON.parse(json.toString()) as unknown);
}
