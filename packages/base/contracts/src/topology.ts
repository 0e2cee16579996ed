import { type TopicName, toTopic } from './topics.js';

/*
 * The parts of the platform, declared once: services, processors, consumer groups, kinds of artifacts. Launcher, chaos,
 * bench, backfill, scripts and the compose file's test read it; a new service is first added here.
 */

export interface ServiceDeclaration {
  /** Port in the live namespace, if it is free; other namespaces get any free port. */
  readonly preferredPort: number;
  /** It has its own tables in PostgreSQL, which its command `migrate` creates and updates. */
  readonly hasTables: boolean;
}

/** The services, in the order in which data flows. */
export const SERVICES = {
  ingest: { preferredPort: 18_080, hasTables: true },
  'feature-store': { preferredPort: 18_081, hasTables: false },
  scoring: { preferredPort: 18_082, hasTables: true },
  action: { preferredPort: 18_083, hasTables: true },
} as const satisfies Record<string, ServiceDeclaration>;

export type ServiceName = keyof typeof SERVICES;

export const SERVICE_NAMES = Object.keys(SERVICES) as readonly ServiceName[];

export interface ProcessorDeclaration {
  readonly service: ServiceName;
  readonly input: TopicName;
  /** The first one is the input of the next processor, if there is one; control records are forwarded to it. */
  readonly outputs: readonly [TopicName, ...TopicName[]];
}

/** Keyed processors by name, in the order in which data flows. The name is in consumer groups, Redis keys and positions. */
export const PROCESSORS = {
  'feature-store': { service: 'feature-store', input: 'eventAccepted', outputs: ['featureUpdated'] },
  scoring: {
    service: 'scoring',
    input: 'featureUpdated',
    outputs: ['scoreComputed', 'stageChanged', 'segmentChanged'],
  },
  action: {
    service: 'action',
    input: 'scoreComputed',
    outputs: ['actionDecided', 'experimentAssigned', 'actionCancelled', 'actionChanged'],
  },
} as const satisfies Record<string, ProcessorDeclaration>;

export type ProcessorName = keyof typeof PROCESSORS;

/** The processors whose outputs a processor reads, with their input topics: the log that their positions name. */
export function toUpstream(namespace: string, name: ProcessorName): Array<{ processor: ProcessorName; topic: string }> {
  const { input } = PROCESSORS[name];
  return PROCESSOR_NAMES.filter((other) => (PROCESSORS[other].outputs as readonly TopicName[]).includes(input)).map(
    (other) => ({ processor: other, topic: toTopic(namespace, PROCESSORS[other].input) }),
  );
}

export const PROCESSOR_NAMES = Object.keys(PROCESSORS) as readonly ProcessorName[];

/** Services with states in Redis: those that run a processor. */
export type StatefulServiceName = (typeof PROCESSORS)[ProcessorName]['service'];

export const STATEFUL_SERVICE_NAMES: readonly StatefulServiceName[] = PROCESSOR_NAMES.map(
  (name) => PROCESSORS[name].service,
);

export interface GroupDeclaration {
  readonly service: ServiceName;
  readonly topic: TopicName;
  /** Events pass through `ingest` and `processor` groups; the other groups read beside that path. */
  readonly role: 'ingest' | 'processor' | 'archive' | 'projection';
}

/** Consumer groups by the name that `toConsumerGroup` takes, in the order in which data flows. */
export const GROUPS = {
  'ingest-received': { service: 'ingest', topic: 'eventReceived', role: 'ingest' },
  'ingest-outcomes': { service: 'ingest', topic: 'actionOutcome', role: 'ingest' },
  'feature-store': { service: 'feature-store', topic: PROCESSORS['feature-store'].input, role: 'processor' },
  'event-archive': { service: 'feature-store', topic: 'eventAccepted', role: 'archive' },
  scoring: { service: 'scoring', topic: PROCESSORS.scoring.input, role: 'processor' },
  'scoring-transitions': { service: 'scoring', topic: 'stageChanged', role: 'projection' },
  'scoring-segments': { service: 'scoring', topic: 'segmentChanged', role: 'projection' },
  action: { service: 'action', topic: PROCESSORS.action.input, role: 'processor' },
  'action-ledger': { service: 'action', topic: 'actionDecided', role: 'projection' },
  'action-exposures': { service: 'action', topic: 'experimentAssigned', role: 'projection' },
  'action-lives': { service: 'action', topic: 'actionChanged', role: 'projection' },
} as const satisfies Record<ProcessorName, GroupDeclaration> & Record<string, GroupDeclaration>;

export type GroupName = keyof typeof GROUPS;

export const GROUP_NAMES = Object.keys(GROUPS) as readonly GroupName[];

const MIB = 1_048_576;
/** Limit for documents written by people. */
const DOCUMENT_BYTES_MAX = 4 * MIB;
/** Below the limits of one buffer in Node 20 (4 GiB) and of one upload to S3 (5 GiB). */
const MODEL_BYTES_MAX = 2_048 * MIB;

export interface ArtifactKindDeclaration {
  /** The service that validates an artifact of this kind, by its command `register`. */
  readonly owner: ServiceName;
  /** File or folder of the repository that holds the default. */
  readonly defaultPath: string;
  readonly contentType: 'application/yaml' | 'application/json';
  /** A process that registers or reads an artifact holds all of it in memory. */
  readonly bytesMax: number;
}

/**
 * Kinds of artifacts, in the order in which they are registered and put in force: later ones may depend on earlier
 * ones.
 */
export const ARTIFACT_KINDS = {
  // First: charts, models and policies are checked against the available features.
  features: {
    owner: 'feature-store',
    defaultPath: 'infra/defaults/features.json',
    contentType: 'application/json',
    bytesMax: DOCUMENT_BYTES_MAX,
  },
  // What one unit of each currency is worth in the namespace's.
  rates: {
    owner: 'feature-store',
    defaultPath: 'infra/defaults/rates.yaml',
    contentType: 'application/yaml',
    bytesMax: DOCUMENT_BYTES_MAX,
  },
  // Which kinds of ids there are, and what joins by them.
  identity: {
    owner: 'feature-store',
    defaultPath: 'infra/defaults/identity.yaml',
    contentType: 'application/yaml',
    bytesMax: DOCUMENT_BYTES_MAX,
  },
  model: {
    owner: 'scoring',
    defaultPath: 'trainer/models/default',
    // This is the manifest; the graph file that it names by hash is an attachment.
    contentType: 'application/json',
    bytesMax: DOCUMENT_BYTES_MAX,
  },
  lifecycle: {
    owner: 'scoring',
    defaultPath: 'infra/defaults/lifecycle.yaml',
    contentType: 'application/yaml',
    bytesMax: DOCUMENT_BYTES_MAX,
  },
  segments: {
    owner: 'scoring',
    defaultPath: 'infra/defaults/segments.yaml',
    contentType: 'application/yaml',
    bytesMax: DOCUMENT_BYTES_MAX,
  },
  policy: {
    owner: 'action',
    defaultPath: 'infra/defaults/policy.yaml',
    contentType: 'application/yaml',
    bytesMax: DOCUMENT_BYTES_MAX,
  },
} as const satisfies Record<string, ArtifactKindDeclaration>;

export type ArtifactKind = keyof typeof ARTIFACT_KINDS;

export const ARTIFACT_KIND_NAMES = Object.keys(ARTIFACT_KINDS) as readonly ArtifactKind[];

/** A file that an artifact names by its SHA-256, stored beside it: it has no number, and no person writes it. */
export const ATTACHMENT_KINDS = {
  /** The graph of a model. */
  'model-file': { contentType: 'application/octet-stream', bytesMax: MODEL_BYTES_MAX },
  /** Names the parts of a fill: what the archive gives of a feature spec, below one position of each partition. */
  'feature-fill': { contentType: 'application/json', bytesMax: 64 * MIB },
  /** How features are spread over all profiles: what thresholds of grids and rank tags follow from. */
  population: { contentType: 'application/json', bytesMax: 4 * MIB },
  /** States of some profiles of a fill. */
  'feature-fill-part': { contentType: 'application/octet-stream', bytesMax: 4 * MIB },
  /** What the archive gives of two profiles that an unmerge parts. */
  unmerge: { contentType: 'application/json', bytesMax: 16 * MIB },
} as const satisfies Record<string, { readonly contentType: string; readonly bytesMax: number }>;

export type AttachmentKind = keyof typeof ATTACHMENT_KINDS;

/**
 * Kinds of rollouts about the filling of a feature spec from the archive. Their number is that of the spec.
 * `feature-filling` has the hash of a spec: when that is rolled out next, profiles are filled before they change to it.
 * `feature-fill` has the hash of what the archive gave: from here on profiles take their part of it.
 */
export const FILL_ROLLOUT_KINDS = ['feature-filling', 'feature-fill'] as const;

/** Kind of the rollouts that put a population in force, numbered from 1. The scoring service measures it and writes them. */
export const POPULATION_ROLLOUT_KIND = 'population-quantiles';
