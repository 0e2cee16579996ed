import {
  type CommonConfig,
  createConfigReader,
  type Environment,
  readCommonConfig,
  readSnapshotConfig,
  type SnapshotConfig,
} from '@perennial/config';

const PORT_DEFAULT = 7004;

export interface ActionConfig extends CommonConfig {
  readonly snapshots: SnapshotConfig;
}

/** This service's environment; throws AppError `config_invalid` that lists every problem. */
export function loadConfig(env: Environment): ActionConfig {
  const reader = createConfigReader(env);
  const config = { ...readCommonConfig(reader, { portDefault: PORT_DEFAULT }), snapshots: readSnapshotConfig(reader) };
  reader.finish();
  return Object.freeze(config);
}
