export { toAttributes, toAttributeValues } from './attribute-values.js';
export type {
  AuditAnswer,
  AuditMismatch,
  AuditMismatches,
  AuditStatus,
  FoundAuditMismatch,
} from './audit-answers.js';
export { CONTEXT_FIELDS, CONTEXT_TEXT_CHARS_MAX } from './context-fields.js';
export { type Control, encodeControl, toControl } from './control.js';
export {
  type ActionCancelled,
  type ActionChanged,
  type ActionDecided,
  type EventRejected,
  type ExperimentAssigned,
  listRejectedEvents,
  type SegmentChanged,
  type StageChanged,
} from './edges.js';
export { encodeMessage } from './encode-message.js';
export { toFirstField } from './first-field.js';
export { Rollout } from './generated/perennial/v1/control.js';
export {
  AcceptedEvent,
  AcceptedRecord,
  type AccountKnown,
  type AccountLeft,
  EventTraits,
  type PlanJudgement,
  type Retraction,
  type TagChange,
} from './generated/perennial/v1/event.js';
export { FeatureRecord, FeaturesUpdated, FoldedEvent } from './generated/perennial/v1/feature.js';
export {
  HandOver,
  HeldRecords,
  IdentityChange,
  IdentityNode,
  Join,
  Joined,
  Link,
  type ProfileRef,
  Unmerge,
} from './generated/perennial/v1/identity.js';
export { type Consent, Notice, type Outcome, type ReportedContact } from './generated/perennial/v1/notice.js';
export { ScoreComputed, ScoreRecord, type SegmentSet } from './generated/perennial/v1/score.js';
export {
  encodeLogPosition,
  encodePosition,
  HEADERS,
  isAfter,
  type LogPosition,
  type Position,
  parseLogPosition,
  parsePosition,
  parseSource,
  toCloudEventHeaders,
} from './headers.js';
export { LIVE_NAMESPACE, parseNamespace, toConsumerGroup, toPostgresSchema } from './namespace.js';
export { isBehaviour, NOTICE_TYPES, type NoticeType, OUTCOME_KINDS } from './notices.js';
export { toPartition } from './partitioner.js';
export {
  defineState,
  type MergeableState,
  type VersionedState,
} from './state-format.js';
export {
  DEFAULT_PARTITIONS,
  parseTopic,
  TOPICS,
  type TopicDeclaration,
  type TopicName,
  toTopic,
} from './topics.js';
export {
  ARTIFACT_KIND_NAMES,
  ARTIFACT_KINDS,
  type ArtifactKind,
  ATTACHMENT_KINDS,
  type AttachmentKind,
  FILL_ROLLOUT_KINDS,
  GROUP_NAMES,
  GROUPS,
  POPULATION_ROLLOUT_KIND,
  PROCESSOR_NAMES,
  PROCESSORS,
  type ProcessorName,
  SERVICE_NAMES,
  SERVICES,
  type ServiceName,
  STATEFUL_SERVICE_NAMES,
  type StatefulServiceName,
  toUpstream,
} from './topology.js';
