import {
  GROUP_NAMES,
  GROUPS,
  PROCESSOR_NAMES,
  PROCESSORS,
  type TopicName,
  toConsumerGroup,
  toPostgresSchema,
  toTopic,
} from '@perennial/contracts';
import { deleteGroups, deleteTopics } from '@perennial/kafka';
import { AppError } from '@perennial/kernel';
import { createNamespaceTopics, type Platform } from '@perennial/launcher';
import { createPool, quoteIdentifier } from '@perennial/postgres';
import type { Redis } from '@perennial/redis';
import { createSilentLogger } from '@perennial/telemetry';
import { INNER_TOPICS } from './written.js';

/** Topics that only outsiders read. */
const EDGE_TOPICS: readonly TopicName[] = [
  ...PROCESSOR_NAMES.flatMap((name): readonly TopicName[] => PROCESSORS[name].outputs).filter(
    (topic) => !(INNER_TOPICS as readonly TopicName[]).includes(topic),
  ),
  'deadLettered',
];
const READERS = GROUP_NAMES.filter((name) => ['processor', 'projection'].includes(GROUPS[name].role));
/** Tables that are projections of the output topics, by the service that owns them. */
const PROJECTIONS = {
  scoring: ['transitions', 'profile_stages', 'projection_offsets'],
  action: ['actions', 'action_totals', 'action_outcomes', 'exposures', 'projection_offsets'],
} as const;
const LEDGER_WAIT_MS_MAX = 90_000;
const LEDGER_POLL_MS = 500;

/**
 * Removes everything that was derived but the topics between the processors, so that the next run derives it again. Those
 * stay because they are a part of the input: action hands contacts over within `score.computed`, and the order in which that
 * log has them beside the scores of their new profile decides what it may still do. The next run writes all of their records
 * again behind them; `readWritten` compares these.
 */
export async function wipeDerived(platform: Platform, redis: Redis): Promise<void> {
  const { namespace, partitions, endpoints } = platform;
  const connection = {
    brokers: endpoints.kafkaBrokers.split(','),
    clientId: 'perennial-chaos',
    logger: createSilentLogger(),
  };
  await redis.call('FLUSHALL');
  await deleteGroups(
    connection,
    READERS.map((name) => toConsumerGroup(namespace, name)),
  );
  await deleteTopics(
    connection,
    EDGE_TOPICS.map((topic) => toTopic(namespace, topic)),
  );
  await createNamespaceTopics({ namespace, partitions }, endpoints.kafkaBrokers);
  await withPool(platform, async (query) => {
    for (const [service, tables] of Object.entries(PROJECTIONS)) {
      const schema = quoteIdentifier(toPostgresSchema(namespace, service));
      for (const table of tables) await query(`TRUNCATE ${schema}.${table}`);
    }
  });
}

/** Rows of the tables. */
export interface LedgerCounts {
  readonly actions: number;
  readonly transitions: number;
  /** Of actions. */
  readonly outcomes: number;
}

/**
 * Waits until ledger and history have as many rows as the output topics have ids; returns the counts if they never do.
 */
export async function waitForLedgers(platform: Platform, wanted: LedgerCounts): Promise<LedgerCounts> {
  return withPool(platform, async (query) => {
    const count = async (service: string, table: string) => {
      const schema = quoteIdentifier(toPostgresSchema(platform.namespace, service));
      return Number((await query(`SELECT count(*) AS n FROM ${schema}.${table}`))[0]?.n);
    };
    const deadline = Date.now() + LEDGER_WAIT_MS_MAX;
    for (;;) {
      const found = {
        actions: await count('action', 'actions'),
        transitions: await count('scoring', 'transitions'),
        outcomes: await count('action', 'action_outcomes'),
      };
      const complete = (Object.keys(wanted) as Array<keyof LedgerCounts>).every((name) => found[name] >= wanted[name]);
      if (complete || Date.now() > deadline) return found;
      await new Promise((resolve) => setTimeout(resolve, LEDGER_POLL_MS));
    }
  });
}

type Query = (sql: string) => Promise<Array<Record<string, unknown>>>;

async function withPool<T>(platform: Platform, act: (query: Query) => Promise<T>): Promise<T> {
  const pool = createPool({
    url: platform.endpoints.postgresUrl,
    applicationName: 'perennial-chaos',
    connectionsMax: 1,
  });
  try {
    return await act(async (sql) => (await pool.query<Record<string, unknown>>(sql)).rows);
  } catch (cause) {
    throw new AppError('dependency_unavailable', 'the tables could not be read', { cause });
  } finally {
    await pool.end();
  }
}
