import type { FeaturesUpdated } from '@perennial/contracts';
import { encodeMessage, FeatureRecord, ScoreRecord, toTopic } from '@perennial/contracts';
import type { FeatureSpecs } from '@perennial/feature-engine';
import type { LogRecord } from '@perennial/kafka';
import { AppError } from '@perennial/kernel';
import type { Decoded, ProcessorDefinition } from '@perennial/keyed-processor';
import type { Pseudonymizer } from '@perennial/privacy';
import type { Contents } from './contents.js';
import { createStageChangedWriter } from './domain/stage-changed.js';
import type { ScoringState } from './domain/state.js';
import { createScoringStateCodec } from './domain/state-codec.js';
import type { ScoringEvidence } from './domain/step.js';
import { stepProfile } from './domain/step.js';
import type { ScoringEvents } from './events.js';
import { createPrepare } from './evidence.js';

export const PROCESSOR_NAME = 'scoring';

export type ScoringDefinition = ProcessorDefinition<ScoringState, FeaturesUpdated, ScoringEvidence>;

/** feature.updated -> score.computed + stage.changed: the model once a batch, then the stage machine profile by profile. */
export function createScoringDefinition(deps: {
  namespace: string;
  contents: Contents;
  specs: FeatureSpecs;
  pseudonymizer: Pseudonymizer;
  events: ScoringEvents;
}): ScoringDefinition {
  const { namespace, contents, specs, pseudonymizer, events } = deps;
  const scoreTopic = toTopic(namespace, 'scoreComputed');
  const targets = { scoreTopic, toStageChanged: createStageChangedWriter(namespace, pseudonymizer) };
  return {
    name: PROCESSOR_NAME,
    inputTopic: toTopic(namespace, 'featureUpdated'),
    codec: createScoringStateCodec(specs),
    decode: decodeFeatureRecord,
    forward(control) {
      const record: ScoreRecord['record'] =
        control.kind === 'tick'
          ? { $case: 'tick', value: { timeMs: control.timeMs } }
          : { $case: 'rollout', value: control.rollout };
      return { topic: scoreTopic, value: encodeMessage(ScoreRecord, { record }) };
    },
    loadRollout: (rollout, inForce) => contents.loadRollout(rollout, inForce),
    prepare: createPrepare({ contents, events, specs }),
    step: (item, evidence) => stepProfile(item, evidence, targets),
  };
}

/** Throws `contract_violation` for what no scoring can use: no record, or no key. */
function decodeFeatureRecord(record: LogRecord): Decoded<FeaturesUpdated> {
  const { record: decoded } = FeatureRecord.decode(record.value ?? Buffer.alloc(0));
  if (decoded?.$case === 'tick') return { kind: 'tick', timeMs: decoded.value.timeMs };
  if (decoded?.$case === 'rollout') return { kind: 'rollout', rollout: decoded.value };
  if (decoded === undefined || record.key === null || record.key.length === 0) {
    throw new AppError('contract_violation', 'not a feature record, or one without a key');
  }
  return { kind: 'record', key: record.key.toString(), input: decoded.value };
}
