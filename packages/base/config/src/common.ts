import { LIVE_NAMESPACE, parseNamespace } from '@perennial/contracts';
import { createRandomToken } from '@perennial/kernel';
import { type KafkaConfig, readKafkaConfig } from './kafka.js';
import type { ConfigReader } from './reader.js';

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
type LogLevel = (typeof LOG_LEVELS)[number];

/** A shorter secret could be guessed offline from one pseudonym. */
const SECRET_LENGTH_MIN = 32;

export interface HttpConfig {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** Whether /metrics requires a token with the scope `read`. */
  readonly metricsAccess: 'open' | 'token';
}

interface RedisConfig {
  readonly url: string;
}

export interface PostgresConfig {
  readonly url: string;
}

export interface ProcessConfig {
  readonly namespace: string;
  /** Unique per running process; random when not given. */
  readonly instanceId: string;
  readonly logLevel: LogLevel;
  /** Where the log goes instead of standard output. */
  readonly logFile: string | undefined;
}

/** The configuration that all services share. */
export interface CommonConfig extends ProcessConfig {
  readonly http: HttpConfig;
  readonly secret: string;
  readonly kafka: KafkaConfig;
  readonly redis: RedisConfig;
  readonly postgres: PostgresConfig;
}

/** PERENNIAL_NAMESPACE, INSTANCE_ID, LOG_LEVEL, LOG_FILE. */
export function readProcessConfig(reader: ConfigReader): ProcessConfig {
  const namespace = reader.string('PERENNIAL_NAMESPACE', {
    description: 'Prefix of topics, Redis keys and PostgreSQL schemas',
    default: LIVE_NAMESPACE,
  });
  return {
    namespace: checkNamespace(reader, namespace),
    instanceId:
      reader.optionalString('INSTANCE_ID', {
        description:
          'Name of this process in logs and groups, of no other instance; one that it keeps over restarts gives it its partitions back at once. Random when not set',
        pattern: /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
        patternHint: 'letters, digits, dots, dashes, 64 at most',
      }) ?? createRandomToken().slice(0, 8),
    logLevel: reader.oneOf('LOG_LEVEL', LOG_LEVELS, {
      description: 'Least severe level that is logged',
      default: 'info',
    }),
    logFile: reader.optionalString('LOG_FILE', {
      description:
        'File that the log is written to instead of standard output, which may be the same file; kept below 20 MB, with three old ones beside it',
    }),
  };
}

function checkNamespace(reader: ConfigReader, namespace: string): string {
  try {
    return parseNamespace(namespace);
  } catch {
    reader.problem(
      'PERENNIAL_NAMESPACE',
      `is ${JSON.stringify(namespace)} but must be a lower-case letter, then letters, digits, dashes, 31 at most`,
    );
    return LIVE_NAMESPACE;
  }
}

/** HOST, PORT, METRICS_ACCESS. */
export function readHttpConfig(reader: ConfigReader, options: { portDefault: number }): HttpConfig {
  return {
    host: reader.string('HOST', { description: 'Address to listen on', default: '127.0.0.1' }),
    port: reader.integer('PORT', {
      description: 'Port to listen on; 0 takes any free one',
      min: 0,
      max: 65_535,
      default: options.portDefault,
    }),
    metricsAccess: reader.oneOf('METRICS_ACCESS', ['open', 'token'], {
      description: 'Whether /metrics is open to whoever reaches it, or asks for a token with the scope read',
      default: 'open',
    }),
  };
}

/** PERENNIAL_SECRET: the root of all pseudonyms; losing it cuts the link to external ids, changing it makes new profiles. */
export function readSecret(reader: ConfigReader): string {
  return reader.secret('PERENNIAL_SECRET', {
    description: 'Root of pseudonyms and sealed ids; the same for every service of an installation',
    lengthMin: SECRET_LENGTH_MIN,
  });
}

/** REDIS_URL. */
function readRedisConfig(reader: ConfigReader): RedisConfig {
  return { url: reader.url('REDIS_URL', { description: 'Redis', schemes: ['redis', 'rediss', 'unix'] }) };
}

/** POSTGRES_URL. */
export function readPostgresConfig(reader: ConfigReader): PostgresConfig {
  return { url: reader.url('POSTGRES_URL', { description: 'PostgreSQL', schemes: ['postgres', 'postgresql'] }) };
}

/**
 * All of the above. The caller calls `reader.finish()` after its own variables, so that all problems are reported at
 * once.
 */
export function readCommonConfig(reader: ConfigReader, options: { portDefault: number }): CommonConfig {
  return {
    ...readProcessConfig(reader),
    http: readHttpConfig(reader, options),
    secret: readSecret(reader),
    kafka: readKafkaConfig(reader),
    redis: readRedisConfig(reader),
    postgres: readPostgresConfig(reader),
  };
}
