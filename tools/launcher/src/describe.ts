import {
  GROUP_NAMES,
  GROUPS,
  SERVICE_NAMES,
  type ServiceName,
  TOPICS,
  type TopicName,
  toConsumerGroup,
  toTopic,
} from '@perennial/contracts';
import {
  createKafkaLog,
  type Log,
  type PartitionOffsets,
  type ProducerLimits,
  readUnread,
  sumLag,
} from '@perennial/kafka';
import { isAppError } from '@perennial/kernel';
import {
  attachStack,
  describeStack,
  isRunning,
  type Layout,
  type PartStatus,
  type StackEndpoints,
  toLayout,
} from '@perennial/native-stack';
import type { ClockMode } from './environment.js';
import { toKafkaConnection } from './kafka-connection.js';
import { listNamespaces, loadNamespaceState, type NamespaceState, type RegisteredArtifact } from './namespace-state.js';
import { readReadiness, toLogFile, toServiceUrl } from './service-process.js';

interface ServiceStatus {
  readonly url: string | null;
  readonly pid: number | null;
  readonly running: boolean;
  readonly ready: boolean;
  /** What stands still, since when and why. */
  readonly reasons: readonly string[];
  /** What an operator should know though the service is ready. */
  readonly notes: readonly string[];
  readonly log: string;
}

interface TopicStatus {
  readonly topic: string;
  readonly partitions: number;
  /** Records still in the log. */
  readonly records: number;
  /** Offset that the next record of each partition will get. */
  readonly endOffsets: readonly number[];
  /** Partitions whose newest records wait for the end of an open transaction: nobody gets them before it ends. */
  readonly heldBack: ReadonlyArray<{ readonly partition: number; readonly records: number }>;
}

interface GroupStatus {
  readonly processor: string;
  readonly group: string;
  readonly topic: string;
  /** Records written but not yet processed, according to the group's committed offsets (committed at intervals). */
  readonly lag: number;
}

export interface NamespaceStatus {
  readonly namespace: string;
  readonly clockMode: ClockMode;
  readonly partitions: number;
  readonly oneProcess: boolean;
  readonly inForce: readonly RegisteredArtifact[];
  readonly services: Readonly<Record<ServiceName, ServiceStatus>>;
  readonly topics: readonly TopicStatus[];
  readonly groups: readonly GroupStatus[];
}

export interface PlatformStatus {
  readonly home: string;
  readonly stack: { readonly running: boolean; readonly parts: readonly PartStatus[] } & Partial<StackEndpoints>;
  readonly namespaces: readonly NamespaceStatus[];
}

/** What runs, where, and its progress; starts nothing. `namespace` selects one. */
export async function describePlatform({
  root,
  home,
  namespace,
}: {
  root?: string;
  home?: string;
  namespace?: string | undefined;
} = {}): Promise<PlatformStatus> {
  const layout = toLayout({ root, home });
  const endpoints = attachStack(layout);
  const names = listNamespaces(layout.stateDir).filter((name) => namespace === undefined || name === namespace);
  const log = endpoints === undefined ? undefined : openLog(endpoints);
  try {
    const [parts, namespaces] = await Promise.all([
      describeStack(layout),
      Promise.all(names.map((name) => describeNamespace(layout, name, log))),
    ]);
    return {
      home: layout.home,
      stack: { running: endpoints !== undefined, parts, ...endpoints },
      namespaces: namespaces.filter((status) => status !== undefined),
    };
  } finally {
    await log?.close();
  }
}

/** Opens a log for a client that is not a service. */
export function openLog(
  { kafkaBrokers }: Pick<StackEndpoints, 'kafkaBrokers'>,
  producerLimits: Partial<ProducerLimits> = {},
): Log {
  return createKafkaLog({ ...toKafkaConnection(kafkaBrokers, 'perennial-cli'), producerLimits });
}

async function describeNamespace(
  layout: Layout,
  namespace: string,
  log: Log | undefined,
): Promise<NamespaceStatus | undefined> {
  const state = loadNamespaceState(layout.stateDir, namespace);
  if (state === undefined) return undefined;
  const services = await Promise.all(
    SERVICE_NAMES.map(async (service) => [service, await describeService(layout, state, service)] as const),
  );
  const ends = log === undefined ? new Map<TopicName, Offsets>() : await readOffsets(log, namespace);
  return {
    namespace,
    clockMode: state.clockMode,
    partitions: state.partitions,
    oneProcess: state.oneProcess,
    inForce: state.provisioned?.inForce ?? [],
    services: Object.fromEntries(services) as Record<ServiceName, ServiceStatus>,
    topics: log === undefined ? [] : await describeTopics(log, namespace, ends),
    groups: log === undefined ? [] : await describeGroups(log, namespace, ends),
  };
}

async function describeService(layout: Layout, state: NamespaceState, service: ServiceName): Promise<ServiceStatus> {
  const name = state.oneProcess ? 'one-process' : service;
  const running = state.processes[name];
  const port = state.ports[service];
  const log = toLogFile(layout, state.namespace, name);
  if (running === undefined || port === undefined || !isRunning(running.process)) {
    return { url: null, pid: null, running: false, ready: false, reasons: ['it does not run'], notes: [], log };
  }
  return { url: toServiceUrl(port), pid: running.process.pid, running: true, ...(await readReadiness(port)), log };
}

type Offsets = ReadonlyMap<number, PartitionOffsets>;

/** The parts of a log that topics are described by. */
type TopicLog = Pick<Log, 'offsets' | 'heldBack'>;

async function readOffsets(log: TopicLog, namespace: string): Promise<Map<TopicName, Offsets>> {
  const entries = await Promise.all(
    (Object.keys(TOPICS) as TopicName[]).map(async (topic): Promise<[TopicName, Offsets] | undefined> => {
      try {
        return [topic, await log.offsets(toTopic(namespace, topic))];
      } catch (error) {
        if (isAppError(error, 'not_found')) return undefined;
        throw error;
      }
    }),
  );
  return new Map(entries.filter((entry) => entry !== undefined));
}

/** Exported for its test. */
export function describeTopics(
  log: TopicLog,
  namespace: string,
  ends: ReadonlyMap<TopicName, Offsets>,
): Promise<TopicStatus[]> {
  return Promise.all(
    [...ends].map(async ([name, offsets]) => {
      const topic = toTopic(namespace, name);
      return toTopicStatus(topic, offsets, await log.heldBack(topic));
    }),
  );
}

function toTopicStatus(topic: string, offsets: Offsets, held: ReadonlyMap<number, number>): TopicStatus {
  const partitions = [...offsets.keys()].sort((a, b) => a - b);
  const ends = partitions.map((partition) => offsets.get(partition)?.high ?? 0);
  const records = [...offsets.values()].reduce((sum, { low, high }) => sum + high - low, 0);
  const heldBack = [...held]
    .map(([partition, waiting]) => ({ partition, records: waiting }))
    .sort((a, b) => a.partition - b.partition);
  return { topic, partitions: partitions.length, records, endOffsets: ends, heldBack };
}

async function describeGroups(
  log: Log,
  namespace: string,
  ends: ReadonlyMap<TopicName, Offsets>,
): Promise<GroupStatus[]> {
  // The archive and the projections lag by design: their lag does not show how far an event has come.
  const passed = GROUP_NAMES.filter((name) => ['ingest', 'processor'].includes(GROUPS[name].role));
  const known = passed.filter((name) => ends.has(GROUPS[name].topic));
  return Promise.all(
    known.map(async (processor) => {
      const { topic } = GROUPS[processor];
      const group = toConsumerGroup(namespace, processor);
      const name = toTopic(namespace, topic);
      return { processor, group, topic: name, lag: sumLag(await readUnread(log, { groupId: group, topic: name })) };
    }),
  );
}
