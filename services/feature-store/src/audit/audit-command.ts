import { parseArgs } from 'node:util';
import { openBlobStore } from '@perennial/blob-store';
import { EventArchive } from '@perennial/event-archive';
import { AppError, createRandomToken } from '@perennial/kernel';
import { withContext } from '@perennial/processor-host';
import type { Command } from '@perennial/service-host';
import type { FeatureStoreConfig } from '../config.js';
import { createParts } from '../parts.js';
import { PROCESSOR_NAME } from '../processor.js';
import { auditFeatures } from './audit.js';

const SAMPLE_DEFAULT = 100;
/** Vectors of a profile in memory, times this, are some gigabytes at most. */
const SAMPLE_MAX = 100_000;

/** `audit [--sample N] [--seed S]`: one comparison of what was served with the archive, as one line of JSON. */
export function createAuditCommand(print: (line: string) => void): Command<FeatureStoreConfig> {
  return async (config, args, logger) => {
    const { values } = parseArgs({
      args: [...args],
      options: { sample: { type: 'string' }, seed: { type: 'string' } },
    });
    const profilesMax = Number(values.sample ?? SAMPLE_DEFAULT);
    if (!Number.isInteger(profilesMax) || profilesMax < 1 || profilesMax > SAMPLE_MAX)
      throw new AppError('config_invalid', `--sample must be an integer from 1 to ${SAMPLE_MAX}`);
    if (config.archive.kind === 'off')
      throw new AppError('config_invalid', 'PERENNIAL_ARCHIVE is off: there is nothing to compare with');
    const archive = new EventArchive(await openBlobStore(config.archive), config.namespace);
    const result = await withContext(PROCESSOR_NAME, config, {
      logger,
      work(context) {
        const { namespace, log } = context;
        const seed = values.seed ?? createRandomToken();
        return auditFeatures({ namespace, log, archive, profilesMax, seed, ...createParts(context) });
      },
    });
    print(JSON.stringify(result));
  };
}
