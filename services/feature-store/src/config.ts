import {
  type ConfigReader,
  createConfigReader,
  type Environment,
  type HttpConfig,
  type IdentityConfig,
  type KafkaConfig,
  type RedisConfig,
  readHttpConfig,
  readIdentityConfig,
  readKafkaConfig,
  readRedisConfig,
  readSecret,
  readSnapshotConfig,
  type SnapshotConfig,
} from '@perennial/config';

export const PORT_DEFAULT = 7002;

export interface FeatureStoreConfig extends IdentityConfig {
  readonly http: HttpConfig;
  readonly secret: string;
  readonly kafka: KafkaConfig;
  readonly redis: RedisConfig;
  readonly snapshots: SnapshotConfig;
}

/** This service's environment; throws AppError `config_invalid` that lists every problem. */
export function loadConfig(env: Environment): FeatureStoreConfig {
  const reader = createConfigReader(env);
  const config = readConfig(reader);
  reader.finish();
  return Object.freeze(config);
}

/** The variables, without deciding: for `.env.example` and the docs. */
export function readConfig(reader: ConfigReader): FeatureStoreConfig {
  return {
    ...readIdentityConfig(reader),
    http: readHttpConfig(reader, { portDefault: PORT_DEFAULT }),
    secret: readSecret(reader),
    kafka: readKafkaConfig(reader),
    redis: readRedisConfig(reader),
    snapshots: readSnapshotConfig(reader),
  };
}
