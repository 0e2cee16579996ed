import { LIVE_NAMESPACE } from './namespace.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** For this long every change of a segment can be read; after it, the last one of each profile and segment. */
const SEGMENT_HISTORY_MS = 30 * DAY_MS;

/** Settings of a topic. Every topic of a namespace has the namespace's partition count. */
export interface TopicDeclaration {
  /** Name in the live namespace; other namespaces prefix it with `<namespace>.`. */
  readonly baseName: string;
  /** `compact`: of each key the last record is kept for good, and `retentionMs` does not count. */
  readonly cleanup: 'delete' | 'compact';
  readonly retentionMs: number;
  /** Of a compacted topic: until a record is this old, it is kept although its key has a later one. */
  readonly minCompactionLagMs?: number;
  readonly encoding: 'protobuf' | 'json' | 'bytes';
  /**
   * The only writer, but for records that a service puts into an input topic (docs/ARCHITECTURE.md); `outside` for what
   * clients write.
   */
  readonly writer: string;
}

/** Every topic, declared once: the provisioning step, the services and the tools read this list. */
export const TOPICS = {
  eventReceived: {
    baseName: 'lifecycle.event.received.v1',
    cleanup: 'delete',
    retentionMs: 7 * DAY_MS,
    encoding: 'json',
    writer: 'outside',
  },
  // The feature-store writes here too: joins, unmerges, copies and reports of accounts, tags, retractions, rollouts of
  // fills; and scoring: rollouts of populations.
  eventAccepted: {
    baseName: 'lifecycle.event.accepted.v1',
    cleanup: 'delete',
    retentionMs: 30 * DAY_MS,
    encoding: 'protobuf',
    writer: 'ingest',
  },
  eventRejected: {
    baseName: 'lifecycle.event.rejected.v1',
    cleanup: 'delete',
    retentionMs: 30 * DAY_MS,
    encoding: 'json',
    writer: 'ingest',
  },
  featureUpdated: {
    baseName: 'lifecycle.feature.updated.v1',
    cleanup: 'delete',
    retentionMs: 7 * DAY_MS,
    encoding: 'protobuf',
    writer: 'feature-store',
  },
  scoreComputed: {
    baseName: 'lifecycle.score.computed.v1',
    cleanup: 'delete',
    retentionMs: 7 * DAY_MS,
    encoding: 'protobuf',
    writer: 'scoring',
  },
  stageChanged: {
    baseName: 'lifecycle.stage.changed.v1',
    cleanup: 'delete',
    retentionMs: 30 * DAY_MS,
    encoding: 'json',
    writer: 'scoring',
  },
  segmentChanged: {
    baseName: 'lifecycle.segment.changed.v1',
    // The last record of a profile and a segment says whether it is a member: who reads all of it has the audiences.
    cleanup: 'compact',
    retentionMs: SEGMENT_HISTORY_MS,
    minCompactionLagMs: SEGMENT_HISTORY_MS,
    encoding: 'json',
    writer: 'scoring',
  },
  actionDecided: {
    baseName: 'lifecycle.action.decided.v1',
    cleanup: 'delete',
    retentionMs: 30 * DAY_MS,
    encoding: 'json',
    writer: 'action',
  },
  // Also for arms that do nothing: who compares arms needs those who got nothing.
  experimentAssigned: {
    baseName: 'lifecycle.experiment.assigned.v1',
    cleanup: 'delete',
    retentionMs: 30 * DAY_MS,
    encoding: 'json',
    writer: 'action',
  },
  actionCancelled: {
    baseName: 'lifecycle.action.cancelled.v1',
    cleanup: 'delete',
    retentionMs: 30 * DAY_MS,
    encoding: 'json',
    writer: 'action',
  },
  actionChanged: {
    baseName: 'lifecycle.action.changed.v1',
    cleanup: 'delete',
    retentionMs: 30 * DAY_MS,
    encoding: 'json',
    writer: 'action',
  },
  actionOutcome: {
    baseName: 'lifecycle.action.outcome.v1',
    cleanup: 'delete',
    retentionMs: 30 * DAY_MS,
    encoding: 'json',
    writer: 'outside',
  },
  deadLettered: {
    baseName: 'lifecycle.record.dead-lettered.v1',
    cleanup: 'delete',
    retentionMs: 30 * DAY_MS,
    encoding: 'bytes',
    writer: 'any processor',
  },
} as const satisfies Record<string, TopicDeclaration>;

export type TopicName = keyof typeof TOPICS;

/**
 * Partitions of every topic of a namespace, unless it is created with another number; fixed from then on. It limits how
 * many instances of each service can share the work. More partitions make batches smaller, and small batches cost more
 * per record.
 */
export const DEFAULT_PARTITIONS = 6;

/** A topic's name in a namespace. */
export function toTopic(namespace: string, topic: TopicName): string {
  const { baseName } = TOPICS[topic];
  return namespace === LIVE_NAMESPACE ? baseName : `${namespace}.${baseName}`;
}

/** The namespace and the declared topic of a name; undefined for an unknown name. */
export function parseTopic(name: string): { namespace: string; topic: TopicName } | undefined {
  for (const topic of Object.keys(TOPICS) as TopicName[]) {
    const { baseName } = TOPICS[topic];
    if (name === baseName) return { namespace: LIVE_NAMESPACE, topic };
    if (name.endsWith(`.${baseName}`)) return { namespace: name.slice(0, -baseName.length - 1), topic };
  }
  return undefined;
}
