export * from './edges.js';
export * from './encode-message.js';
export { Rollout, Tick } from './generated/perennial/v1/control.js';
export { AcceptedEvent, AcceptedRecord } from './generated/perennial/v1/event.js';
export { FeatureRecord, FeaturesUpdated, FoldedEvent } from './generated/perennial/v1/feature.js';
export { ScoreComputed, ScoreRecord, Transition } from './generated/perennial/v1/score.js';
export * from './headers.js';
export * from './namespace.js';
export * from './partitioner.js';
export {
  defineState,
  type MergeableState,
  type MergeableStateFormat,
  type StateFormat,
  type VersionedState,
} from './state-format.js';
export * from './topics.js';
export {
  ARTIFACT_KIND_NAMES,
  ARTIFACT_KINDS,
  type ArtifactKind,
  GROUP_NAMES,
  GROUPS,
  PROCESSOR_NAMES,
  PROCESSORS,
  type ProcessorName,
  SERVICE_NAMES,
  SERVICES,
  type ServiceName,
  STATEFUL_SERVICE_NAMES,
  type StatefulServiceName,
} from './topology.js';
