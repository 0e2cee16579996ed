import { AppError } from '@perennial/kernel';
import { type Evaluation, evaluate, type Figure } from '@perennial/learning';
import { Command } from 'commander';
import { line, lines, type Printable, printJson, printLine, toTable } from '../output.js';
import { readDraws } from './read-draws.js';
import { readTarget, type Target } from './target.js';

const PROBLEMS_MAX = 50;

interface Options {
  readonly log: string;
  readonly policy: string;
  readonly context?: string;
  readonly skipBad?: boolean;
  readonly json?: boolean;
}

/** What a run of the command has found. */
interface Found {
  readonly evaluation: Evaluation;
  /** Rows that were left out, with their places. */
  readonly problems: readonly string[];
  /** Options that the policy draws and the log never did. */
  readonly unseen: readonly string[];
}

export function createEvaluateCommand(): Command {
  return new Command('evaluate')
    .description('what another policy would have brought, from logged draws with their propensities; starts nothing')
    .requiredOption('--log <file>', 'draws: CSV, or JSON lines (.jsonl), with option, propensity, reward')
    .requiredOption('--policy <policy>', 'uniform, an option of the log, or a .json file {option: probability}')
    .option('--context <columns>', 'of numbers, comma-separated, that the model of rewards may use')
    .option('--skip-bad', 'leave out bad rows instead of ending with exit code 2')
    .option('--json', 'print {rows, problems, unseen, figures: {logged, meanWeight, ips, snips, dr, switchDr}}')
    .addHelpText(
      'after',
      '\nBelow a hundred effective rows intervals are too narrow.\nExample:\n  ./perennial policy evaluate --log draws.csv --policy uniform',
    )
    .action(async (options: Options) => {
      const found = await evaluateLog(options);
      if (options.json) printJson({ ...found.evaluation, problems: found.problems, unseen: found.unseen });
      else printLine(format(found));
    });
}

async function evaluateLog({ log, policy, context, skipBad = false }: Options): Promise<Found> {
  const { rows, problems: unread } = await readDraws(log, context?.split(',') ?? []);
  if (rows.length === 0) throw new AppError('config_invalid', [...unread, `${log} has no draws`].join('\n'));
  const logged = [...new Set(rows.map(({ option }) => option))].filter((option) => option !== '').sort();
  const target = readTarget(policy, logged);
  const { probabilities, options } = target;
  const evaluation = evaluate(rows, () => probabilities, { options });
  const bad = evaluation.problems.map(({ place, reason, value }) => `${place}: ${reason}: ${JSON.stringify(value)}`);
  const problems = [...unread, ...bad];
  if (problems.length > 0 && !skipBad) throw new AppError('config_invalid', toText(problems));
  return { evaluation, problems, unseen: findUnseen(target, logged) };
}

function findUnseen({ options, probabilities }: Target, logged: readonly string[]): readonly string[] {
  return options.filter((option, index) => (probabilities[index] as number) > 0 && !logged.includes(option));
}

function toText(problems: readonly string[]): string {
  const more = problems.length - PROBLEMS_MAX;
  return [...problems.slice(0, PROBLEMS_MAX), ...(more > 0 ? [`and ${more} problems more`] : [])].join('\n');
}

function format({ evaluation: { rows, figures }, problems, unseen }: Found): Printable {
  if (figures === undefined) return line`${rows} good rows are too few for any figure`;
  const { logged, meanWeight, ips, snips, dr, switchDr } = figures;
  const alarm =
    meanWeight.low <= 1 && meanWeight.high >= 1
      ? []
      : [
          line`ALARM: weights are ${toRange(meanWeight)} on average instead of 1: propensities are wrong, or the log never drew what the policy draws`,
        ];
  const named: ReadonlyArray<readonly [string, Figure]> = [
    ['the log as it is', logged],
    ['IPS', ips],
    ['SNIPS', snips],
    ['doubly robust', dr],
    ['Switch-DR', switchDr],
  ];
  return lines(
    toTable([['estimate', 'reward', 'from', 'to', 'effective rows', 'largest weight'], ...named.map(toRow)]),
    line`intervals of 95 %; ${rows} rows, ${problems.length} bad ones left out`,
    line`Switch-DR leaves weights above ${switchDr.threshold.toFixed(1)} to the model of rewards, off by ${switchDr.biasAtMost.toPrecision(3)} at most, not in its interval`,
    ...unseen.map((option) => line`the log never drew ${option}: no figure knows its reward`),
    ...alarm,
  );
}

function toRow([name, figure]: readonly [string, Figure]): string[] {
  const { estimate, low, high, effectiveSampleSize, largestWeight } = figure;
  const rates = [estimate, low, high].map((value) => value.toPrecision(4));
  return [name, ...rates, effectiveSampleSize.toFixed(1), largestWeight.toPrecision(4)];
}

function toRange({ estimate, low, high }: Figure): string {
  return `${estimate.toPrecision(3)} (${low.toPrecision(3)} to ${high.toPrecision(3)})`;
}
