import { AppError } from '@perennial/kernel';
import { createStateReader } from '@perennial/keyed-processor';
import { createPseudonymizer } from '@perennial/privacy';
import { withContext } from '@perennial/processor-host';
import type { Command } from '@perennial/service-host';
import type { FeatureStoreConfig } from '../config.js';
import { createParts } from '../parts.js';
import { PROCESSOR_NAME } from '../processor.js';
import { runChangeCommand } from './change-command.js';

/** `identities merge|unmerge A B --by NAME`, `identities log`, on the stores of the service. */
export function createChangeCommand(print: (line: string) => void): Command<FeatureStoreConfig> {
  return (config, args, logger) => {
    requireArchive(config, args);
    return withContext(PROCESSOR_NAME, config, {
      logger,
      async work(context) {
        const { namespace, partitions, redis, log } = context;
        const { definition, artifacts } = createParts(context);
        const { decode } = definition.codec;
        const refresh = artifacts.loadAll;
        const readStates = createStateReader(redis, {
          namespace,
          processor: PROCESSOR_NAME,
          partitions,
          decode,
          refresh,
        });
        const producer = await log.createProducer();
        const pseudonymizer = createPseudonymizer(config.secret);
        const loadIdentity = artifacts.identity;
        const stores = { namespace, partitions, readStates, producer, loadIdentity };
        await runChangeCommand(args, { ...stores, pseudonymizer, print });
      },
    });
  };
}

/** Both profiles are rebuilt from the archive. Without one an unmerge would begin, never end, and keep others waiting. */
function requireArchive({ archive }: FeatureStoreConfig, [change]: readonly string[]): void {
  if (change === 'unmerge' && archive.kind === 'off')
    throw new AppError('config_invalid', 'PERENNIAL_ARCHIVE is off: profiles are parted by what the archive holds');
}
