import { writeFileSync } from 'node:fs';
import {
  FAULTS,
  formatChaosReport,
  isMutantNoticed,
  listFailures,
  MUTANTS,
  parseMutantName,
  runChaos,
  selectFaults,
} from '@perennial/chaos';
import { DEFAULT_PARTITIONS } from '@perennial/contracts';
import { Command, Option } from 'commander';
import { EXIT } from '../exit-codes.js';
import { interruptible } from '../interrupt.js';
import { parseWhole } from '../options.js';
import { printText } from '../output.js';
import { createProgress } from '../progress.js';
import { requireMachine } from './up.js';

interface ChaosCommandOptions {
  readonly seed: number;
  readonly minutes?: number;
  readonly seconds: number;
  readonly faults?: readonly string[];
  readonly mutant?: string;
  readonly rate: number;
  readonly partitions: number;
  readonly instances: number;
  readonly json?: string;
}

const SEED_MAX = 2 ** 31;

export function createChaosCommand(): Command {
  return new Command('chaos')
    .addOption(countOption('--seed <n>', 'of the faults and the load', { value: 1, max: SEED_MAX }))
    .addOption(countOption('--seconds <n>', 'how long faults go on', { value: 60, max: 86_400 }))
    .addOption(
      new Option('--minutes <n>', 'the same in minutes').argParser((text) => parseWhole(text, { min: 1, max: 1440 })),
    )
    .addOption(
      new Option(
        '--faults <name,...>',
        `only these (default: all that fit into the run, of ${FAULTS.map(({ name }) => name).join(', ')})`,
      ).argParser((text: string) => text.split(',')),
    )
    .addOption(countOption('--rate <n>', 'events a second', { value: 200, max: 10_000 }))
    .addOption(countOption('--partitions <n>', 'of every topic', { value: DEFAULT_PARTITIONS, max: 64 }))
    .addOption(countOption('--instances <n>', 'of each service', { value: 2, max: 8 }))
    .option(
      '--mutant <name>',
      `break a rule while faults are done, with those that show it best: ${Object.keys(MUTANTS).join(', ')}`,
    )
    .option('--json <file>', 'write the report to this file too')
    .addHelpText(
      'after',
      `
It starts a stack of its own and removes it afterwards. Two lanes of faults overlap: one in services, one in what they
stand on. The order is that of the seed; how they meet the load is up to the machine. With --mutant the run succeeds
when it notices.

Examples:
  ./perennial chaos --seed 7
  ./perennial chaos --seed 7 --minutes 3 --json report.json
  ./perennial chaos --faults kill-service,redis-loses-writes
  ./perennial chaos --mutant cache-kept-when-fenced --seconds 15`,
    )
    .action(chaos);
}

async function chaos({
  minutes,
  seconds,
  faults,
  mutant: mutantName,
  rate,
  json,
  ...options
}: ChaosCommandOptions): Promise<void> {
  const mutant = mutantName === undefined ? undefined : parseMutantName(mutantName);
  const runSeconds = minutes === undefined ? seconds : minutes * 60;
  const chosen = selectFaults(faults ?? (mutant && MUTANTS[mutant].faults), runSeconds);
  await requireMachine();
  const progress = createProgress();
  try {
    const report = await interruptible((signal) =>
      runChaos({
        ...options,
        seconds: runSeconds,
        faults: chosen,
        mutant,
        eventsPerSecond: rate,
        onProgress: progress.report,
        signal,
      }),
    );
    if (json !== undefined) writeFileSync(json, `${JSON.stringify(report, null, 2)}\n`);
    progress.done();
    printText(formatChaosReport(report));
    const asWanted = mutant === undefined ? listFailures(report).length === 0 : isMutantNoticed(report);
    if (!asWanted) process.exitCode = EXIT.failed;
  } finally {
    progress.done();
  }
}

function countOption(flags: string, description: string, { value, max }: { value: number; max: number }): Option {
  return new Option(flags, description).argParser((text) => parseWhole(text, { min: 1, max })).default(value);
}
