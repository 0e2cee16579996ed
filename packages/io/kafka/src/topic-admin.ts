import { AppError, retry } from '@perennial/kernel';
import type { Admin, ITopicMetadata } from 'kafkajs';
import { createKafkajsClient, type KafkaConnection, toErrorType, toKafkaError } from './kafkajs-client.js';

/** A topic to be created. */
export interface TopicSpec {
  readonly name: string;
  readonly partitions: number;
  readonly retentionMs: number;
  readonly cleanup: 'delete' | 'compact';
  readonly replicationFactor?: number;
  /** Further settings, by Kafka's names. */
  readonly config?: Readonly<Record<string, string>>;
}

interface TopicDescription {
  readonly name: string;
  readonly partitions: number;
}

const CREATE_TIMEOUT_MS = 30_000;
/** Waits for the new topics' leaders: 100 attempts, 20 to 300 ms apart. */
const SETTLE = { initialMs: 20, maxMs: 300, attemptsMax: 100 };
/** -1 means the broker's default. */
const REPLICATION_BROKER_DEFAULT = -1;

/**
 * Creates missing topics and leaves existing ones unchanged; returns the names of the created ones. Throws
 * `dependency_misconfigured` when a topic exists with another partition count: that number is fixed when a namespace is
 * created.
 */
export async function createTopics(connection: KafkaConnection, specs: readonly TopicSpec[]): Promise<string[]> {
  return withAdmin(connection, 'creating topics', async (admin) => {
    const existing = new Map((await describeTopics(admin)).map(({ name, partitions }) => [name, partitions]));
    for (const { name, partitions } of specs) checkPartitions(name, partitions, existing.get(name));
    const missing = specs.filter(({ name }) => !existing.has(name));
    if (missing.length === 0) return [];
    try {
      // Not `waitForLeaders`: kafkajs gives up when the metadata does not know the topic yet.
      await admin.createTopics({
        topics: missing.map(toKafkajsTopic),
        timeout: CREATE_TIMEOUT_MS,
        waitForLeaders: false,
      });
    } catch (error) {
      // Another provisioner was faster; its topics must have the settings that we want.
      if (toErrorType(error) !== 'TOPIC_ALREADY_EXISTS') throw error;
    }
    const names = missing.map(({ name }) => name);
    // Each attempt uses its own connection: kafkajs caches the leader of a partition, even when that broker denies it.
    const made = await retry(
      () => withAdmin(connection, 'looking for leaders', (fresh) => findLedTopics(fresh, names)),
      SETTLE,
    );
    for (const { name, partitions } of missing) checkPartitions(name, partitions, made.get(name));
    return missing.map(({ name }) => name);
  });
}

/** Deletes topics and their records; skips those that do not exist. */
export async function deleteTopics(connection: KafkaConnection, names: readonly string[]): Promise<void> {
  await withAdmin(connection, 'deleting topics', async (admin) => {
    const existing = new Set(await admin.listTopics());
    const topics = names.filter((name) => existing.has(name));
    if (topics.length > 0) await admin.deleteTopics({ topics, timeout: CREATE_TIMEOUT_MS });
  });
}

/** Deletes consumer groups and their offsets; none may have a member. Skips those that do not exist. */
export async function deleteGroups(connection: KafkaConnection, ids: readonly string[]): Promise<void> {
  await withAdmin(connection, 'deleting consumer groups', async (admin) => {
    const { groups } = await admin.listGroups();
    const existing = ids.filter((id) => groups.some(({ groupId }) => groupId === id));
    if (existing.length > 0) await admin.deleteGroups(existing);
  });
}

/** Runs one piece of work on an admin connection of its own. */
export async function withAdmin<T>(
  connection: KafkaConnection,
  what: string,
  act: (admin: Admin) => Promise<T>,
): Promise<T> {
  const admin = createKafkajsClient(connection).admin();
  try {
    await admin.connect();
    return await act(admin);
  } catch (error) {
    throw toKafkaError(what, error);
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}

/** Partition counts of topics that all exist, each partition with a leader that answers; throws while some do not. */
async function findLedTopics(admin: Admin, names: readonly string[]): Promise<Map<string, number>> {
  const { topics }: { topics: ITopicMetadata[] } = await admin.fetchTopicMetadata();
  const led = new Map<string, number>();
  for (const { name, partitions } of topics) {
    if (partitions.every(({ leader }) => leader >= 0)) led.set(name, partitions.length);
  }
  const missing = names.filter((name) => !led.has(name));
  if (missing.length > 0) throw new AppError('timeout', `no leaders yet: ${missing.join(', ')}`, { retriable: true });
  // A broker is named as leader shortly before it accepts that role. Requests go one after the other: concurrent
  // requests without a connection each make kafkajs open one, of which it closes only the last.
  for (const name of names) await admin.fetchTopicOffsets(name);
  return led;
}

async function describeTopics(admin: Admin): Promise<TopicDescription[]> {
  const { topics }: { topics: ITopicMetadata[] } = await admin.fetchTopicMetadata();
  return topics.map(({ name, partitions }) => ({ name, partitions: partitions.length }));
}

function checkPartitions(name: string, wanted: number, found: number | undefined): void {
  if (found === undefined || found === wanted) return;
  throw new AppError(
    'dependency_misconfigured',
    `topic ${name} has ${found} partitions, not ${wanted}; the count is fixed when a namespace is created: backfill a new one`,
  );
}

function toKafkajsTopic({ name, partitions, retentionMs, cleanup, replicationFactor, config }: TopicSpec) {
  const entries: Record<string, string> = {
    'cleanup.policy': cleanup,
    'retention.ms': String(retentionMs),
    // The broker's append time, not the producers' clocks: ticks are checked against it.
    'message.timestamp.type': 'LogAppendTime',
    ...config,
  };
  return {
    topic: name,
    numPartitions: partitions,
    replicationFactor: replicationFactor ?? REPLICATION_BROKER_DEFAULT,
    configEntries: Object.entries(entries).map(([key, value]) => ({ name: key, value })),
  };
}
