import { AppError, isAppError, toMessage } from '@perennial/kernel';
import type { Logger } from '@perennial/telemetry';
import type { LogEntry } from 'kafkajs';
import { Kafka, logLevel } from 'kafkajs';
import { type KafkaSecurity, toKafkajsSecurity } from './kafka-security.js';
import { patchKafkajs } from './patch-kafkajs.js';

/** How to reach the brokers. */
export interface KafkaConnection {
  readonly brokers: readonly string[];
  readonly clientId: string;
  /** Absent: in clear, without a name. */
  readonly security?: KafkaSecurity;
  /**
   * Group instance id of its consumers, unique per process: a process that rejoins under the same id gets the
   * partitions of its predecessor at once, instead of after the session timeout. Absent: no static membership.
   */
  readonly groupInstanceId?: string;
  readonly logger: Logger;
}

const CONNECTION_TIMEOUT_MS = 3_000;
/**
 * Timeout of one request, after which the broker is reconnected; not longer than the session timeout of a group member.
 */
const REQUEST_TIMEOUT_MS = 6_000;
/** Retries within one call into kafkajs; our own loops repeat the call without limit, and report each retry. */
const RETRIES_MAX = 5;
const RETRY_INITIAL_MS = 100;
const RETRY_MAX_MS = 1_000;

/**
 * A patched kafkajs client that logs through our logger. Throws `dependency_misconfigured` when it cannot be patched,
 * `config_invalid` when a file of its security cannot be read.
 */
export function createKafkajsClient({ brokers, clientId, security = {}, logger }: KafkaConnection): Kafka {
  patchKafkajs();
  return new Kafka({
    brokers: [...brokers],
    clientId,
    ...toKafkajsSecurity(security),
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    retry: { retries: RETRIES_MAX, initialRetryTime: RETRY_INITIAL_MS, maxRetryTime: RETRY_MAX_MS },
    logLevel: logger.isLevelEnabled('debug') ? logLevel.INFO : logLevel.ERROR,
    logCreator: () => (entry) => logKafkajs(logger, entry),
  });
}

/**
 * kafkajs logs every broken connection and rebalance as an error. Here *error* means that someone must act, and a real
 * failure reaches a caller as an AppError. So kafkajs's entries are logged as warnings at most.
 */
function logKafkajs(logger: Logger, { level, namespace, log }: LogEntry): void {
  const { message, timestamp: _timestamp, logger: _name, stack: _stack, ...details } = log;
  if (level === logLevel.ERROR) logger.warn({ component: namespace, details }, `kafkajs: ${message}`);
  else logger.debug({ component: namespace, details }, `kafkajs: ${message}`);
}

const TOO_LARGE = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE']);
const NAME_TAKEN = 'FENCED_INSTANCE_ID';
const SESSION_LOST = new Set([
  'REBALANCE_IN_PROGRESS',
  'ILLEGAL_GENERATION',
  'UNKNOWN_MEMBER_ID',
  'NOT_COORDINATOR_FOR_GROUP',
  NAME_TAKEN,
]);

/**
 * Maps kafkajs's errors to ours: a record that is too large is the caller's error, anything else means that the broker
 * is unavailable.
 */
export function toKafkaError(what: string, error: unknown): AppError {
  if (isAppError(error)) return error;
  const type = toErrorType(error);
  if (type !== undefined && TOO_LARGE.has(type)) {
    return new AppError('limit_exceeded', `${what}: a record batch is larger than the broker takes`, { cause: error });
  }
  return new AppError('dependency_unavailable', `${what}: ${toMessage(error)}`, { retriable: true, cause: error });
}

/** True when the group has rebalanced without this member, or is about to. */
export function isSessionLost(error: unknown): boolean {
  const type = toErrorType(error);
  return type !== undefined && SESSION_LOST.has(type);
}

/** True when another member has joined the group under this member's group instance id. */
export function isNameTaken(error: unknown): boolean {
  return toErrorType(error) === NAME_TAKEN;
}

/** The Kafka protocol's name of the innermost error that has one. */
export function toErrorType(error: unknown): string | undefined {
  for (let current = error; current instanceof Error; current = current.cause) {
    const { type } = current as { type?: unknown };
    if (typeof type === 'string') return type;
  }
  return undefined;
}
