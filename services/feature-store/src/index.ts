import type { ProcessorServiceDefinition } from '@perennial/processor-host';
import { app, type FeatureStoreRebuild, openRebuild } from './app.js';
import { createCommands } from './commands.js';
import { type FeatureStoreConfig, loadConfig } from './config.js';

export { ArchiveReader } from './archive-reader.js';
export { readFeatureSpec, readIdentityFile, readRateTable } from './commands.js';
export { foldEvent } from './domain/fold.js';
export { judgeOutliers } from './domain/outliers.js';
export { toTakeBack } from './domain/take-back.js';
export { fillPartition } from './fill/fill-partition.js';
export { OPERATIONS } from './http/operations.js';
export { createParts } from './parts.js';
export { UnmergeRunner } from './unmerge/unmerge-runner.js';
export { createUnmergeTelemetry } from './unmerge/unmerge-telemetry.js';

export const service: ProcessorServiceDefinition<FeatureStoreConfig, FeatureStoreRebuild> = {
  ...app,
  loadConfig,
  commands: createCommands,
  openRebuild,
};
