import {
  type ArtifactsConfig,
  type ConfigReader,
  createConfigReader,
  type Environment,
  type HttpConfig,
  type KafkaConfig,
  type PostgresConfig,
  type ProcessConfig,
  readArtifactsConfig,
  readHttpConfig,
  readKafkaConfig,
  readPostgresConfig,
  readProcessConfig,
  readS3Config,
  readSecret,
} from '@perennial/config';
import { LIVE_NAMESPACE } from '@perennial/contracts';
import { ADDRESS_LIMITS } from './address-limit.js';
import type { ClockMode } from './domain/parse-timestamp.js';

const PORT_DEFAULT = 7001;

export interface IngestConfig extends ProcessConfig {
  readonly http: HttpConfig;
  readonly secret: string;
  readonly kafka: KafkaConfig;
  readonly postgres: PostgresConfig;
  /** Where the rules about ids lie. */
  readonly artifacts: ArtifactsConfig;
  readonly clockMode: ClockMode;
  readonly senders: SendersConfig;
}

/** How senders are distinguished that have no write key in a header. */
interface SendersConfig {
  /** Proxies in front of the service: the sender is that many steps from the end of X-Forwarded-For. */
  readonly trustedProxies: number;
  /** Requests per second from one address. */
  readonly addressRate: number;
}

/** This service's environment; throws AppError `config_invalid` that lists every problem. */
export function loadConfig(env: Environment): IngestConfig {
  const reader = createConfigReader(env);
  const config = readConfig(reader);
  reader.finish();
  return Object.freeze(config);
}

function readConfig(reader: ConfigReader): IngestConfig {
  const processConfig = readProcessConfig(reader);
  const clockMode = reader.oneOf('PERENNIAL_CLOCK_MODE', ['wall', 'events'], {
    description: 'What moves log time: ticks each second (wall) or POST /v1/clock (events, for backfills)',
    default: 'wall',
  });
  if (clockMode === 'events' && processConfig.namespace === LIVE_NAMESPACE) {
    reader.problem('PERENNIAL_CLOCK_MODE', `is events, but the namespace ${LIVE_NAMESPACE} runs by the wall clock`);
  }
  return {
    ...processConfig,
    http: readHttpConfig(reader, { portDefault: PORT_DEFAULT }),
    secret: readSecret(reader),
    kafka: readKafkaConfig(reader),
    postgres: readPostgresConfig(reader),
    artifacts: readArtifactsConfig(reader, readS3Config(reader)),
    clockMode,
    senders: readSendersConfig(reader),
  };
}

function readSendersConfig(reader: ConfigReader): SendersConfig {
  return {
    trustedProxies: reader.integer('TRUSTED_PROXIES', {
      description:
        'Proxies in front of the service, each of which adds to X-Forwarded-For; 0 where clients connect to it',
      min: 0,
      max: 10,
      default: 0,
    }),
    addressRate: reader.integer('ADDRESS_RATE', {
      description: 'Requests per second from one address (an IPv6 network of 64 bits) without a write key in a header',
      min: 1,
      max: 1_000_000,
      default: ADDRESS_LIMITS.perSecondDefault,
    }),
  };
}
