import { openBlobStore } from '@perennial/blob-store';
import { ECOMMERCE_FEATURES, FeatureSpecs } from '@perennial/feature-engine';
import { AppError } from '@perennial/kernel';
import { readPartitions } from '@perennial/keyed-processor';
import { withContext } from '@perennial/processor-host';
import type { Command } from '@perennial/service-host';
import { createFeatureArtifacts } from '../artifacts.js';
import type { FeatureStoreConfig } from '../config.js';
import { PROCESSOR_NAME } from '../processor.js';
import { type FillStatus, readFillStatus } from './fill-status.js';

/** `fill status [--json]`: how far the fill of the feature spec in force is. */
export function createFillCommand(print: (line: string) => void): Command<FeatureStoreConfig> {
  return async (config, [action, ...rest], logger) => {
    const json = rest[0] === '--json';
    if (action !== 'status' || rest.length > (json ? 1 : 0))
      throw new AppError('config_invalid', 'usage: fill status [--json]');
    const status = await readStatus(config, logger);
    if (json) print(JSON.stringify(status));
    else for (const line of toLines(status)) print(line);
  };
}

async function readStatus(
  config: FeatureStoreConfig,
  logger: Parameters<Command<FeatureStoreConfig>>[2],
): Promise<FillStatus> {
  if (config.archive.kind === 'off')
    throw new AppError('config_invalid', 'PERENNIAL_ARCHIVE is off: no feature spec can be filled');
  const blobs = await openBlobStore(config.archive);
  return withContext(PROCESSOR_NAME, config, {
    logger,
    async work({ namespace, partitions, redis, artifactStore }) {
      const { fills, loadAll } = createFeatureArtifacts(artifactStore, { specs: new FeatureSpecs(ECOMMERCE_FEATURES) });
      await loadAll();
      const read = await readPartitions(redis, { namespace, processor: PROCESSOR_NAME, partitions });
      return readFillStatus(
        read.map(({ inForce }) => inForce),
        { namespace, blobs, fills },
      );
    },
  });
}

function toLines({ state, number, begunAt, partitions }: FillStatus): string[] {
  if (state === 'none') return ['the feature spec in force needs no filling'];
  const what = state === 'filling' ? 'is filled from the archive' : 'was filled from the archive, which is in force';
  const since = begunAt === undefined ? '' : `, since ${begunAt}`;
  return [
    `features ${number} ${what}${since}`,
    ...partitions.map(({ partition, state: own, next, profiles }) => {
      const counted = profiles === undefined ? '' : `, ${profiles} profiles`;
      return `  partition ${partition}: ${own}, records below ${next}${counted}`;
    }),
  ];
}
