import {
  type ArchiveConfig,
  type ConfigReader,
  createConfigReader,
  type Environment,
  type HttpConfig,
  type KafkaConfig,
  type PostgresConfig,
  type ProcessConfig,
  type RedisConfig,
  readArchiveConfig,
  readHttpConfig,
  readKafkaConfig,
  readPostgresConfig,
  readProcessConfig,
  readRedisConfig,
  readS3Config,
  readSecret,
  readSnapshotConfig,
  type SnapshotConfig,
} from '@perennial/config';

const PORT_DEFAULT = 7002;

export interface FeatureStoreConfig extends ProcessConfig {
  readonly http: HttpConfig;
  readonly secret: string;
  readonly kafka: KafkaConfig;
  readonly redis: RedisConfig;
  readonly postgres: PostgresConfig;
  readonly snapshots: SnapshotConfig;
  readonly archive: ArchiveConfig;
}

/** This service's environment; throws AppError `config_invalid` that lists every problem. */
export function loadConfig(env: Environment): FeatureStoreConfig {
  const reader = createConfigReader(env);
  const config = readConfig(reader);
  reader.finish();
  return Object.freeze(config);
}

function readConfig(reader: ConfigReader): FeatureStoreConfig {
  const s3 = readS3Config(reader);
  return {
    ...readProcessConfig(reader),
    http: readHttpConfig(reader, { portDefault: PORT_DEFAULT }),
    secret: readSecret(reader),
    kafka: readKafkaConfig(reader),
    redis: readRedisConfig(reader),
    postgres: readPostgresConfig(reader),
    snapshots: readSnapshotConfig(reader, s3),
    archive: readArchiveConfig(reader, s3),
  };
}
