import { simulateFigures } from '@perennial/experiments';
import { Command } from 'commander';
import { formatFigures, formatPlan } from '../experiments/format.js';
import { planExperiment } from '../experiments/plan.js';
import { LOOKS_MAX, type PlanTexts, readPlanOptions } from '../experiments/read-plan.js';
import { parseWhole } from '../options.js';
import { printJson, printLine } from '../output.js';

const RUNS_MAX = 100_000;
const SEED_MAX = 2 ** 31;

export function createExperimentsCommand(): Command {
  return new Command('experiments').addCommand(createPlanCommand()).addCommand(createSimulateCommand());
}

function createPlanCommand(): Command {
  return new Command('plan')
    .description('how many persons and days an experiment needs; starts nothing')
    .requiredOption('--baseline <number>', 'share of the control that converts, or its mean with --deviation')
    .requiredOption('--mde <number>', 'least difference to the baseline that is worth finding, in the same unit')
    .option('--deviation <number>', 'standard deviation of a value a person, for revenue and other means')
    .option('--arms <n>', 'of equal weight, the control among them', '2')
    .option('--power <share>', 'probability that it is found', '0.8')
    .option('--alpha <share>', 'probability of a false alarm, over all comparisons and looks', '0.05')
    .option('--traffic <n>', 'persons a day, all arms together: gives days too')
    .option('--looks <n>', `how often it is looked at, up to ${LOOKS_MAX} (default: daily, or 30 without --traffic)`)
    .option(
      '--json',
      'print {persons, personsPerArm, expectedShare, fixedPersonsPerArm, comparisonAlpha, looks, days?, expectedDays?}',
    )
    .addHelpText(
      'after',
      `
The number is for a confidence sequence: it may be looked at on any day, and ended as soon as it is significant.

Example:
  ./perennial experiments plan --baseline 0.05 --mde 0.01 --traffic 2000`,
    )
    .action(({ json, ...texts }: PlanTexts & { readonly json?: boolean }) => {
      const plan = planExperiment(readPlanOptions(texts));
      if (json) printJson(plan);
      else printLine(formatPlan(plan));
    });
}

function createSimulateCommand(): Command {
  return new Command('simulate')
    .description('how often the statistics of experiments err, in worlds whose truth is known; starts nothing')
    .option('--runs <n>', 'of each world', (text) => parseWhole(text, { min: 10, max: RUNS_MAX }), 2_000)
    .option('--seed <n>', 'of all worlds', (text) => parseWhole(text, { min: 0, max: SEED_MAX }), 3)
    .option('--json', 'print all figures as JSON')
    .addHelpText('after', '\nThe figures of docs/EXPERIMENTS.md:\n  ./perennial experiments simulate')
    .action(({ runs, seed, json }: { readonly runs: number; readonly seed: number; readonly json?: boolean }) => {
      const figures = simulateFigures({ runs, seed });
      if (json) printJson(figures);
      else printLine(formatFigures(figures));
    });
}
