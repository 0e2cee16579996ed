import { writeFileSync } from 'node:fs';
import {
  type BenchOptions,
  CHAIN_KINDS,
  type ExploreBenchOptions,
  type ExportBenchOptions,
  type FeaturesBenchOptions,
  type FillBenchOptions,
  formatExploreReport,
  formatExportReport,
  formatFeaturesReport,
  formatFillReport,
  formatReport,
  formatRestoreReport,
  type RestoreBenchOptions,
  runChainBench,
  runExploreBench,
  runExportBench,
  runFeaturesBench,
  runFillBench,
  runRestoreBench,
} from '@perennial/bench';
import { DEFAULT_PARTITIONS } from '@perennial/contracts';
import { EXPLORE_LIMITS } from '@perennial/explore';
import { EXPORT_LIMITS } from '@perennial/training-export';
import { Command, InvalidArgumentError, Option } from 'commander';
import { interruptible } from '../interrupt.js';
import { parseWhole } from '../options.js';
import { printText } from '../output.js';
import { createProgress } from '../progress.js';

const COUNT_MAX = 10_000_000;

interface Json {
  readonly json?: string;
}

interface ChainOptions extends Omit<BenchOptions, 'onProgress' | 'root' | 'signal'> {
  readonly json?: string;
}

export function createBenchCommand(): Command {
  return new Command('bench')
    .addCommand(createChainCommand())
    .addCommand(createFeaturesCommand())
    .addCommand(createRestoreCommand())
    .addCommand(createExploreCommand())
    .addCommand(createExportCommand())
    .addCommand(createFillBenchCommand());
}

function createRestoreCommand(): Command {
  return new Command('restore')
    .description('write snapshots of many profiles, empty Redis, and see how long it takes to be full again')
    .addOption(countOption('--profiles <n>', 'profiles in Redis', 1_000_000))
    .addOption(countOption('--state-bytes <n>', 'size of a state', 1024))
    .addOption(countOption('--partitions <n>', 'they are spread over', DEFAULT_PARTITIONS))
    .addOption(countOption('--records <n>', 'records that come after the snapshots', 100_000))
    .addOption(countOption('--seed <n>', 'of the states', 1))
    .option('--json <file>', 'the figures, as JSON')
    .addHelpText(
      'after',
      `
It starts a stack of its own and removes it afterwards.

Example:
  ./perennial bench restore --profiles 100000`,
    )
    .action(
      async ({ json, ...options }: Omit<RestoreBenchOptions, 'onProgress' | 'root' | 'signal'> & { json?: string }) => {
        const progress = createProgress();
        try {
          const report = await interruptible((signal) =>
            runRestoreBench({ ...options, signal, onProgress: progress.report }),
          );
          if (json !== undefined) writeFileSync(json, `${JSON.stringify(report, null, 2)}\n`);
          progress.done();
          printText(formatRestoreReport(report));
        } finally {
          progress.done();
        }
      },
    );
}

function createFeaturesCommand(): Command {
  return new Command('features')
    .description('read features over HTTP, against the feature store Feast with the same rows on the same Redis')
    .addOption(countOption('--profiles <n>', 'profiles, about', 2_000))
    .addOption(countOption('--events <n>', 'orders, spread over them', 10_000))
    .addOption(new Option('--rows <n,...>', 'profiles of one read').argParser(parseRates).default([1, 10, 100]))
    .addOption(countOption('--reads <n>', 'reads of each size in a round', 500))
    .addOption(countOption('--rounds <n>', 'rounds that count; one before them warms up', 3))
    .addOption(countOption('--seed <n>', 'of orders and reads', 1))
    .option('--json <file>', 'every read, as JSON')
    .addHelpText(
      'after',
      `
It starts a stack of its own and removes it afterwards. The first run installs Feast from PyPI (Python 3.10 or later).

Example:
  ./perennial bench features --rounds 5`,
    )
    .action(
      async ({
        json,
        ...options
      }: Omit<FeaturesBenchOptions, 'onProgress' | 'root' | 'signal'> & { json?: string }) => {
        const progress = createProgress();
        try {
          const report = await interruptible((signal) =>
            runFeaturesBench({ ...options, signal, onProgress: progress.report }),
          );
          if (json !== undefined) writeFileSync(json, `${JSON.stringify(report, null, 2)}\n`);
          progress.done();
          printText(formatFeaturesReport(report));
        } finally {
          progress.done();
        }
      },
    );
}

function createExploreCommand(): Command {
  return new Command('explore')
    .description('write an event archive and ask every question of `explore` of it')
    .addOption(countOption('--events <n>', 'events in the archive', 1_000_000))
    .addOption(countOption('--profiles <n>', 'that they are of', 30_000))
    .addOption(countOption('--partitions <n>', 'they are spread over', DEFAULT_PARTITIONS))
    .addOption(countOption('--rounds <n>', 'runs of each question', 3))
    .addOption(countOption('--memory-mb <n>', 'memory of DuckDB', EXPLORE_LIMITS.memoryMbDefault))
    .addOption(countOption('--seed <n>', 'of the events', 1))
    .option('--json <file>', 'the figures, as JSON')
    .addHelpText('after', '\nExample:\n  ./perennial bench explore --events 100000')
    .action(async ({ json, ...options }: Omit<ExploreBenchOptions, 'onProgress' | 'root' | 'signal'> & Json) => {
      const progress = createProgress();
      try {
        const report = await interruptible((signal) =>
          runExploreBench({ ...options, signal, onProgress: progress.report }),
        );
        if (json !== undefined) writeFileSync(json, `${JSON.stringify(report, null, 2)}\n`);
        progress.done();
        printText(formatExploreReport(report));
      } finally {
        progress.done();
      }
    });
}

function createExportCommand(): Command {
  return new Command('export')
    .description('write an event archive and export training data from it, at five cutoffs')
    .addOption(countOption('--events <n>', 'events in the archive', 1_000_000))
    .addOption(countOption('--profiles <n>', 'that they are of', 30_000))
    .addOption(countOption('--partitions <n>', 'they are spread over', DEFAULT_PARTITIONS))
    .addOption(
      countOption('--sequence-length <n>', 'last events of a profile at a cutoff', EXPORT_LIMITS.sequenceDefault),
    )
    .addOption(countOption('--seed <n>', 'of the events', 1))
    .option('--json <file>', 'the figures, as JSON')
    .addHelpText('after', '\nExample:\n  ./perennial bench export --events 100000')
    .action(async ({ json, ...options }: Omit<ExportBenchOptions, 'onProgress' | 'root' | 'signal'> & Json) => {
      const progress = createProgress();
      try {
        const report = await interruptible((signal) =>
          runExportBench({ ...options, signal, onProgress: progress.report }),
        );
        if (json !== undefined) writeFileSync(json, `${JSON.stringify(report, null, 2)}\n`);
        progress.done();
        printText(formatExportReport(report));
      } finally {
        progress.done();
      }
    });
}

function createFillBenchCommand(): Command {
  return new Command('fill')
    .description(
      'write an event archive and fill a wider feature spec from it, in turn with folding the same events live',
    )
    .addOption(countOption('--events <n>', 'events in the archive', 200_000))
    .addOption(countOption('--profiles <n>', 'that they are of', 10_000))
    .addOption(countOption('--partitions <n>', 'they are spread over', DEFAULT_PARTITIONS))
    .addOption(countOption('--rounds <n>', 'runs of each, in turn', 3))
    .addOption(countOption('--share-percent <n>', 'of one thread that the fill takes; the service takes 50', 100, 100))
    .addOption(countOption('--seed <n>', 'of the events', 1))
    .option('--json <file>', 'every run, as JSON')
    .addHelpText(
      'after',
      '\nIt starts nothing: no Kafka, no Redis.\n\nExample:\n  ./perennial bench fill --events 20000 --rounds 1',
    )
    .action(async ({ json, ...options }: Omit<FillBenchOptions, 'onProgress' | 'root' | 'signal'> & Json) => {
      const progress = createProgress();
      try {
        const report = await interruptible((signal) =>
          runFillBench({ ...options, signal, onProgress: progress.report }),
        );
        if (json !== undefined) writeFileSync(json, `${JSON.stringify(report, null, 2)}\n`);
        progress.done();
        printText(formatFillReport(report));
      } finally {
        progress.done();
      }
    });
}

function createChainCommand(): Command {
  return new Command('chain')
    .description('the whole chain against the same topology with empty steps, in turn, on one broker and one Redis')
    .addOption(countOption('--events <n>', 'events of a flat-out run', 40_000))
    .addOption(
      new Option('--rates <n,...>', 'steady rates, events a second').argParser(parseRates).default([500, 1000, 4000]),
    )
    .addOption(countOption('--warm-seconds <n>', 'how long each chain works before anything is measured', 90))
    .addOption(countOption('--seconds <n>', 'length of a steady run', 10))
    .addOption(countOption('--rounds <n>', 'runs of each chain and load, in turn', 3))
    .addOption(countOption('--batch-events <n>', 'events of one HTTP request', 20))
    .addOption(
      countOption(
        '--new-percent <n>',
        "orders in a hundred that are a new customer's (CDNOW: 34, Online Retail: 20)",
        30,
      ),
    )
    .addOption(countOption('--partitions <n>', 'of every topic', DEFAULT_PARTITIONS))
    .addOption(countOption('--seed <n>', 'of users and amounts', 1))
    .addOption(new Option('--chains <kind,...>', 'which of the two').argParser(parseChains).default([...CHAIN_KINDS]))
    .option('--one-process', 'all services in one process', false)
    .option('--json <file>', 'every run, as JSON')
    .addHelpText(
      'after',
      `
It starts a stack of its own and removes it afterwards. Latency is that of each user's first order, which makes a new
customer and earns a welcome: from the HTTP answer to the sight of the action, and from append to append.

Examples:
  ./perennial bench chain
  ./perennial bench chain --rates 1000 --rounds 5 --json bench.json
  ./perennial bench chain --one-process`,
    )
    .action(async ({ json, ...options }: ChainOptions) => {
      const progress = createProgress();
      try {
        const report = await interruptible((signal) =>
          runChainBench({ ...options, signal, onProgress: progress.report }),
        );
        if (json !== undefined) writeFileSync(json, `${JSON.stringify(report, null, 2)}\n`);
        progress.done();
        printText(formatReport(report));
      } finally {
        progress.done();
      }
    });
}

function countOption(flags: string, description: string, value: number, max = COUNT_MAX): Option {
  return new Option(flags, description).argParser((text) => parseWhole(text, { min: 1, max })).default(value);
}

function parseRates(text: string): number[] {
  return text.split(',').map((part) => parseWhole(part, { min: 1, max: COUNT_MAX }));
}

function parseChains(text: string): BenchOptions['chains'] {
  const chains = CHAIN_KINDS.filter((kind) => text.split(',').includes(kind));
  if (chains.length === 0) throw new InvalidArgumentError(`It must name some of ${CHAIN_KINDS.join(', ')}.`);
  return chains;
}
