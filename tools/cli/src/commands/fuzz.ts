import { type FuzzReport, fuzz, TARGETS } from '@perennial/fuzz';
import { Command, Option } from 'commander';
import { EXIT } from '../exit-codes.js';
import { parseWhole } from '../options.js';
import { printJsonLine, printLine, printText } from '../output.js';
import { createProgress } from '../progress.js';
import { drawSeed, parseMinutes, parseSeed, toEndMs } from '../seeded-run.js';

const CASES_MAX = 1_000_000_000;
const CASES_DEFAULT = 2_000;
/** Enough to see whether the failures have one cause. */
const FAILURES_MAX = 10;

interface FuzzCommandOptions {
  readonly target?: string;
  readonly seed?: number;
  readonly cases?: number;
  readonly minutes?: number;
  readonly json?: boolean;
}

export function createFuzzCommand(): Command {
  const names = Object.keys(TARGETS);
  return new Command('fuzz')
    .addOption(new Option('--target <name>', 'only this kind of input (default: all)').choices(names))
    .addOption(
      new Option('--seed <n>', 'the case to run again; with --cases or --minutes, the first').argParser(parseSeed),
    )
    .addOption(new Option('--cases <count>', `cases of each target (default: ${CASES_DEFAULT})`).argParser(parseCases))
    .addOption(new Option('--minutes <m>', 'cases until the time is over').argParser(parseMinutes))
    .option('--json', 'print {seed, cases, counts, failures}')
    .addHelpText(
      'after',
      `
Targets:
${Object.entries(TARGETS)
  .map(([name, { description }]) => `  ${name.padEnd(16)} ${description}`)
  .join('\n')}

Without --seed the first case is drawn, and printed. A case that fails is printed with the command that runs it again.

Examples:
  ./perennial fuzz                                ${CASES_DEFAULT} cases of each target
  ./perennial fuzz --minutes 480                  a night
  ./perennial fuzz --target events --seed 5449    one case again, with its input`,
    )
    .action(async (options: FuzzCommandOptions) => {
      if (!(await runFuzz(options))) process.exitCode = EXIT.failed;
    });
}

async function runFuzz({ target, seed, cases, minutes, json = false }: FuzzCommandOptions): Promise<boolean> {
  const first = seed ?? drawSeed();
  const endMs = toEndMs(minutes);
  const progress = createProgress();
  if (!json) printLine(`from seed ${first}`);
  const report = await fuzz({
    targets: target === undefined ? Object.keys(TARGETS) : [target],
    first,
    count: cases ?? toCount(seed, minutes),
    failuresMax: FAILURES_MAX,
    shouldStop: () => Date.now() >= endMs,
    onRange: (done) => progress.report(`${done.cases} cases, ${done.failures} failed`),
  });
  progress.done();
  if (json) printJsonLine({ seed: first, ...report });
  else printReport(report);
  return report.failures.length === 0;
}

function toCount(seed: number | undefined, minutes: number | undefined): number {
  if (minutes !== undefined) return CASES_MAX;
  return seed === undefined ? CASES_DEFAULT : 1;
}

function printReport({ cases, counts, failures }: FuzzReport): void {
  for (const [target, count] of Object.entries(cases)) {
    printLine(`${target}: ${count} cases`);
    for (const [result, times] of Object.entries(counts[target] ?? {}).sort(([, a], [, b]) => b - a))
      printLine(`  ${String(times).padStart(9)}  ${result}`);
  }
  for (const { target, seed, problem } of failures)
    printText(`${target}, seed ${seed}: ${problem}\n  ./perennial fuzz --target ${target} --seed ${seed}`);
  printLine(`${Object.values(cases).reduce((sum, count) => sum + count, 0)} cases, ${failures.length} failed`);
}

function parseCases(text: string): number {
  return parseWhole(text, { min: 1, max: CASES_MAX });
}
