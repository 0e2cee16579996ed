import type { FeaturesUpdated } from '@perennial/contracts';
import {
  encodeControl,
  FeatureRecord,
  PROCESSORS,
  ScoreRecord,
  toControl,
  toTopic,
  toUpstream,
} from '@perennial/contracts';
import type { FeatureSpecs } from '@perennial/feature-engine';
import type { LogRecord } from '@perennial/kafka';
import { AppError } from '@perennial/kernel';
import type { Decoded, ProcessorDefinition } from '@perennial/keyed-processor';
import type { Pseudonymizer } from '@perennial/privacy';
import type { ScoringArtifacts } from './artifacts.js';
import type { ScoringEvidence } from './domain/scoring-evidence.js';
import { createSegmentChangedWriter } from './domain/segment-changed.js';
import { createStageChangedWriter } from './domain/stage-changed.js';
import type { ScoringState } from './domain/state.js';
import { createScoringStateCodec } from './domain/state-codec.js';
import { stepProfile } from './domain/step.js';
import { createPrepare } from './evidence.js';
import type { ScoringTelemetry } from './telemetry.js';

export const PROCESSOR_NAME = 'scoring';

export type ScoringProcessor = ProcessorDefinition<ScoringState, FeaturesUpdated, ScoringEvidence>;

/** feature.updated -> score.computed + stage.changed: one model run per batch, then the stage machine per profile. */
export function createScoringProcessor(deps: {
  namespace: string;
  artifacts: ScoringArtifacts;
  specs: FeatureSpecs;
  pseudonymizer: Pseudonymizer;
  telemetry: ScoringTelemetry;
}): ScoringProcessor {
  const { namespace, artifacts, specs, pseudonymizer, telemetry } = deps;
  const scoreTopic = toTopic(namespace, 'scoreComputed');
  const targets = {
    scoreTopic,
    toStageChanged: createStageChangedWriter(namespace, pseudonymizer),
    toSegmentChanged: createSegmentChangedWriter(namespace, pseudonymizer),
  };
  return {
    name: PROCESSOR_NAME,
    inputTopic: toTopic(namespace, PROCESSORS[PROCESSOR_NAME].input),
    sources: toUpstream(namespace, PROCESSOR_NAME),
    codec: createScoringStateCodec(specs),
    decode: decodeFeatureRecord,
    forward: (control) => ({ topic: scoreTopic, value: encodeControl(ScoreRecord, control) }),
    loadRollout: (rollout, inForce) => artifacts.loadRollout(rollout, inForce),
    prepare: createPrepare({ artifacts, telemetry, specs }),
    step: (item, evidence) => stepProfile(item, evidence, targets),
  };
}

/** Throws `contract_violation` for a record that scoring cannot use: no valid record, or no key. */
function decodeFeatureRecord(record: LogRecord): Decoded<FeaturesUpdated> {
  const { record: decoded } = FeatureRecord.decode(record.value ?? Buffer.alloc(0));
  const control = toControl(decoded);
  if (control !== undefined) return control;
  if (decoded?.$case !== 'updated' || record.key === null || record.key.length === 0) {
    throw new AppError('contract_violation', 'not a feature record, or one without a key');
  }
  return { kind: 'record', key: record.key.toString(), input: decoded.value };
}
