import { drawPlan, SeedPool, shrinkFaults, simulate, toSeedReport, type WorldPlan } from '@perennial/simulation';
import { Command, Option } from 'commander';
import { EXIT } from '../exit-codes.js';
import { parseWhole } from '../options.js';
import { printLine, printText } from '../output.js';
import { createProgress } from '../progress.js';
import { drawSeed, parseMinutes, parseSeed, toEndMs } from '../seeded-run.js';

const SEEDS_MAX = 1_000_000_000;
const SEEDS_DEFAULT = 1000;
/** Enough to see whether the failures have one cause. */
const FAILURES_MAX = 10;
const WORLDS_PER_REPORT = 500;

interface SimulateOptions {
  readonly seed?: number;
  readonly seeds?: number;
  readonly minutes?: number;
  readonly trace?: boolean;
}

export function createSimulateCommand(): Command {
  return new Command('simulate')
    .addOption(
      new Option('--seed <n>', 'the world to run again; with --seeds or --minutes, the first').argParser(parseSeed),
    )
    .addOption(new Option('--seeds <count>', `how many worlds (default: ${SEEDS_DEFAULT})`).argParser(parseCount))
    .addOption(new Option('--minutes <m>', 'worlds until the time is over').argParser(parseMinutes))
    .option('--trace', 'print everything that happens in the one world of --seed')
    .addHelpText(
      'after',
      `
Without --seed the first world is drawn, and printed. A world that fails is printed with the command that runs it again.

Examples:
  ./perennial simulate                   a thousand worlds
  ./perennial simulate --minutes 480     a night
  ./perennial simulate --seed 5449       one world again, with its faults; when it fails, with those that it takes`,
    )
    .action(async (options: SimulateOptions) => {
      const one = options.seed !== undefined && options.seeds === undefined && options.minutes === undefined;
      const passed = one ? await runSeedAgain(options.seed, options.trace === true) : await runMany(options);
      if (!passed) process.exitCode = EXIT.failed;
    });
}

async function runSeedAgain(seed: number, trace: boolean): Promise<boolean> {
  const plan = drawPlan(seed);
  printFaults(plan);
  const { violation, events, virtualMs } = await simulate(plan, trace ? { onTrace: printText } : {});
  printLine(`${events} events in ${virtualMs} ms of virtual time`);
  if (violation === undefined) {
    printLine(`seed ${seed}: as without faults`);
    return true;
  }
  printText(toSeedReport({ seed, violation }));
  const shrunk = await shrinkFaults(plan, async (candidate) => (await simulate(candidate)).violation !== undefined);
  printLine(`It takes ${shrunk.faults.length} of its ${plan.faults.length} faults:`);
  printFaults(shrunk);
  printText(String((await simulate(shrunk)).violation));
  return false;
}

async function runMany({ seed, seeds: count, minutes }: SimulateOptions): Promise<boolean> {
  const first = seed ?? drawSeed();
  const endMs = toEndMs(minutes);
  const progress = createProgress();
  printLine(`from seed ${first}`);
  const pool = new SeedPool();
  let reported = 0;
  const result = await pool
    .run({
      first,
      count: count ?? (minutes === undefined ? SEEDS_DEFAULT : SEEDS_MAX),
      failuresMax: FAILURES_MAX,
      shouldStop: () => Date.now() >= endMs,
      onSeed: ({ seeds, failures }) => {
        if (seeds - reported < WORLDS_PER_REPORT) return;
        reported = seeds;
        progress.report(`${seeds} worlds, ${failures} failed`);
      },
    })
    .finally(() => pool.close());
  progress.done();
  for (const failure of result.failures) printText(toSeedReport(failure));
  printLine(`${result.seeds} worlds, ${result.failures.length} failed`);
  return result.failures.length === 0;
}

function printFaults({ faults, lostTail }: WorldPlan): void {
  for (const fault of faults) printLine(`  ${JSON.stringify(fault)}`);
  if (lostTail !== undefined) printLine(`  at the end: ${JSON.stringify({ kind: 'lost-tail', ...lostTail })}`);
}

function parseCount(text: string): number {
  return parseWhole(text, { min: 1, max: SEEDS_MAX });
}
