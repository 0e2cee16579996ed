import { parseArgs } from 'node:util';
import { openBlobStore } from '@perennial/blob-store';
import { EventArchive } from '@perennial/event-archive';
import { AppError } from '@perennial/kernel';
import { createStateReader } from '@perennial/keyed-processor';
import { createPseudonymizer, type Pseudonymizer } from '@perennial/privacy';
import { withContext } from '@perennial/processor-host';
import type { Command } from '@perennial/service-host';
import type { FeatureStoreConfig } from '../config.js';
import { findAskingProblems, parseProfileArg } from '../identity/change-args.js';
import { createParts } from '../parts.js';
import { PROCESSOR_NAME } from '../processor.js';
import { createPartitionReader } from './read-partition.js';
import { type RetractionRequest, Retractor } from './retractor.js';

const USAGE =
  'usage: events retract PROFILE MESSAGE_ID --by NAME [--reason TEXT] [--early]; PROFILE is a user id, or anonymous:ID';

/** `events retract`: takes one event back, and prints the answer as one line of JSON. On the stores of the service. */
export function createRetractCommand(print: (line: string) => void): Command<FeatureStoreConfig> {
  return async (config, args, logger) => {
    const request = parseRetraction(args, createPseudonymizer(config.secret));
    const archive =
      config.archive.kind === 'off'
        ? undefined
        : new EventArchive(await openBlobStore(config.archive), config.namespace);
    await withContext(PROCESSOR_NAME, config, {
      logger,
      async work(context) {
        const { namespace, partitions, redis, log } = context;
        const { definition, artifacts, specs } = createParts(context);
        const loadSpecs = artifacts.loadAll;
        const { decode } = definition.codec;
        const states = { namespace, processor: PROCESSOR_NAME, partitions, decode, refresh: loadSpecs };
        const retractor = new Retractor({
          namespace,
          partitions,
          definition,
          specs,
          loadSpecs,
          readPartition: createPartitionReader({ namespace, log, archive }),
          readStates: createStateReader(redis, states),
          producer: await log.createProducer(),
        });
        print(JSON.stringify(await retractor.retract(request)));
      },
    });
  };
}

/** Throws `config_invalid` with all problems. */
export function parseRetraction(
  args: readonly string[],
  pseudonymizer: Pick<Pseudonymizer, 'toProfileKey' | 'seal'>,
): RetractionRequest {
  const { values, positionals } = parse(args);
  const [action, id, messageId, ...more] = positionals;
  if (action !== 'retract' || id === undefined || messageId === undefined || more.length > 0) {
    throw new AppError('config_invalid', USAGE);
  }
  const { by, reason, early } = values;
  const problems = [
    messageId.trim() === '' ? 'the message id is empty' : '',
    ...findAskingProblems({ by, reason }, 'it'),
  ].filter(Boolean);
  if (problems.length > 0) throw new AppError('config_invalid', problems.join('\n'));
  return { profile: parseProfileArg(id, pseudonymizer), messageId, by: by.trim(), reason: reason.trim(), early };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        by: { type: 'string', default: '' },
        reason: { type: 'string', default: '' },
        early: { type: 'boolean', default: false },
      },
    });
  } catch (cause) {
    throw new AppError('config_invalid', USAGE, { cause });
  }
}
