import {
  type ConfigReader,
  createConfigReader,
  type Environment,
  type HttpConfig,
  type KafkaConfig,
  type PostgresConfig,
  type ProcessConfig,
  readHttpConfig,
  readKafkaConfig,
  readPostgresConfig,
  readProcessConfig,
  readSecret,
} from '@perennial/config';
import { LIVE_NAMESPACE } from '@perennial/contracts';
import type { ClockMode } from './domain/parse-timestamp.js';

const PORT_DEFAULT = 7001;

export interface IngestConfig extends ProcessConfig {
  readonly http: HttpConfig;
  readonly secret: string;
  readonly kafka: KafkaConfig;
  readonly postgres: PostgresConfig;
  readonly clockMode: ClockMode;
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
    clockMode,
  };
}
