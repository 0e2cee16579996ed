import { parseArgs } from 'node:util';
import { openBlobStore } from '@perennial/blob-store';
import type { AuditMismatches } from '@perennial/contracts';
import { EventArchive } from '@perennial/event-archive';
import { AppError, createRandomToken } from '@perennial/kernel';
import { withContext } from '@perennial/processor-host';
import type { Command } from '@perennial/service-host';
import { createAuditRecords } from '../adapters/audit-records.js';
import type { FeatureStoreConfig } from '../config.js';
import { createParts } from '../parts.js';
import { PROCESSOR_NAME } from '../processor.js';
import { type AuditOptions, type AuditResult, auditFeatures } from './audit.js';

const SAMPLE_DEFAULT = 100;
/** Vectors of a profile in memory, times this, are some gigabytes at most. */
const SAMPLE_MAX = 100_000;
/** Profiles of one round of `--all`, each of which reads the topic and the archive once. */
const ROUND_PROFILES = 10_000;
const COUNT_DEFAULT = 20;
const COUNT_MAX = 1_000;
const USAGE = 'usage: audit [--sample N] [--seed S] | --all | status | mismatches [--count N]';

type Logger = Parameters<Command<FeatureStoreConfig>>[2];

/**
 * `audit [--sample N] [--seed S]`: one comparison of what was published with the archive; `audit --all`: of every
 * profile. `audit status` and `audit mismatches`: what the audit that runs in the service did and found. Each prints one line of JSON.
 */
export function createAuditCommand(print: (line: string) => void): Command<FeatureStoreConfig> {
  return async (config, args, logger) => {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        sample: { type: 'string' },
        seed: { type: 'string' },
        all: { type: 'boolean', default: false },
        count: { type: 'string' },
      },
    });
    const [action, ...rest] = positionals;
    if (rest.length > 0) throw new AppError('config_invalid', USAGE);
    if (config.archive.kind === 'off')
      throw new AppError('config_invalid', 'PERENNIAL_ARCHIVE is off: there is nothing to compare with');
    if (action === undefined) print(JSON.stringify(await compare(config, values, logger)));
    else print(JSON.stringify(await readRecords(config, { ...values, action }, logger)));
  };
}

interface CompareChoice {
  readonly sample?: string | undefined;
  readonly seed?: string | undefined;
  readonly all: boolean;
}

async function compare(config: FeatureStoreConfig, { sample, seed, all }: CompareChoice, logger: Logger) {
  if (all && sample !== undefined) throw new AppError('config_invalid', '--all takes no --sample');
  const profilesMax = all ? ROUND_PROFILES : parseCount(sample ?? SAMPLE_DEFAULT, '--sample', SAMPLE_MAX);
  if (config.archive.kind === 'off') throw new AppError('config_invalid', USAGE);
  const archive = new EventArchive(await openBlobStore(config.archive), config.namespace);
  return withContext(PROCESSOR_NAME, config, {
    logger,
    async work(context) {
      const { namespace, log } = context;
      const options = {
        namespace,
        log,
        archive,
        profilesMax,
        seed: seed ?? createRandomToken(),
        ...createParts(context),
      };
      const { rankNext: _rankNext, ...result } = all ? await auditAll(options) : await auditFeatures(options);
      return result;
    },
  });
}

/** Round after round, until every profile had its turn. */
async function auditAll(options: AuditOptions): Promise<AuditResult> {
  let sum = await auditFeatures(options);
  while (sum.rankNext !== undefined) {
    const { rankNext, ...round } = await auditFeatures({ ...options, rankMin: sum.rankNext });
    sum = {
      seed: sum.seed,
      profiles: sum.profiles + round.profiles,
      vectors: sum.vectors + round.vectors,
      mismatches: sum.mismatches + round.mismatches,
      first: [...sum.first, ...round.first].slice(0, COUNT_MAX),
      rankNext,
    };
  }
  return sum;
}

async function readRecords(
  config: FeatureStoreConfig,
  { action, count }: { readonly action: string; readonly count?: string | undefined },
  logger: Logger,
) {
  if (action !== 'status' && action !== 'mismatches') throw new AppError('config_invalid', USAGE);
  const countMax = parseCount(count ?? COUNT_DEFAULT, '--count', COUNT_MAX);
  return withContext(PROCESSOR_NAME, config, {
    logger,
    async work({ namespace, partitions, redis }) {
      const records = createAuditRecords(redis, namespace);
      if (action === 'status') return records.readStatus(partitions);
      return { mismatches: await records.listMismatches(countMax) } satisfies AuditMismatches;
    },
  });
}

function parseCount(given: string | number, name: string, max: number): number {
  const count = Number(given);
  if (Number.isInteger(count) && count >= 1 && count <= max) return count;
  throw new AppError('config_invalid', `${name} must be an integer from 1 to ${max}`);
}
