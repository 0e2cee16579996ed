import { simulateFigures } from '@perennial/experiments';
import { EXPLORE_LIMITS } from '@perennial/explore';
import type { Platform } from '@perennial/launcher';
import { toLayout } from '@perennial/native-stack';
import { Command } from 'commander';
import { formatFigures, formatPlan } from '../experiments/format.js';
import { formatArms, formatReport } from '../experiments/format-report.js';
import { planExperiment } from '../experiments/plan.js';
import { readArms } from '../experiments/read-exposures.js';
import { LOOKS_MAX, type PlanTexts, readPlanOptions } from '../experiments/read-plan.js';
import { makeReport, type ReportTexts, readReportOptions } from '../experiments/report.js';
import { createNamespaceOption, parseWhole } from '../options.js';
import { printJson, printLine } from '../output.js';
import { requirePlatform } from './sources.js';

const RUNS_MAX = 100_000;
const SEED_MAX = 2 ** 31;

/** Finds the running platform of a namespace; throws `not_found` where there is none. */
type FindPlatform = (namespace: string) => Pick<Platform, 'client'>;

/** Tests replace `findPlatform`. */
export function createExperimentsCommand(findPlatform: FindPlatform = requirePlatform): Command {
  return new Command('experiments')
    .addCommand(createListCommand(findPlatform))
    .addCommand(createReportCommand(findPlatform))
    .addCommand(createPlanCommand())
    .addCommand(createSimulateCommand());
}

interface Common {
  readonly namespace: string;
  readonly json?: boolean;
}

function createListCommand(findPlatform: FindPlatform): Command {
  return new Command('list')
    .description('experiments that had a say about anybody: arms, and how many profiles are in each')
    .addOption(createNamespaceOption())
    .option('--json', 'print {arms, lag}')
    .action(async ({ namespace, json }: Common) => {
      const found = await readArms(findPlatform(namespace).client);
      if (json) printJson(found);
      else printLine(formatArms(found.arms, found.lag));
    });
}

function createReportCommand(findPlatform: FindPlatform): Command {
  return new Command('report')
    .description('what an experiment has brought: each arm against the control, with intervals that hold at every look')
    .argument('<name>', 'of the experiment')
    .addOption(createNamespaceOption())
    .option('--control <arm>', 'what the others are compared with (default: the arm control or usual)')
    .option('--window <span>', 'after an exposure, in which conversion, revenue and harms count', '14d')
    .option(
      '--planned <n>',
      'persons of two arms at which intervals are narrowest; fix it before the first look',
      '10000',
    )
    .option('--alpha <share>', 'of each metric, over all arms and looks', '0.05')
    .option('--tolerate <share>', 'increase of unsubscribes and complaints that is tolerated', '0.001')
    .option('--until <time>', 'nothing later is known (default: the last event of the archive)')
    .option('--archive <folder>', 'of the event archive (default: that of this installation)')
    .option('--json', 'print all figures as JSON')
    .addHelpText('after', '\nExample:\n  ./perennial experiments report welcome_size --window 7d --planned 30000')
    .action(async (name: string, typed: Common & ReportTexts & { readonly archive?: string }) => {
      const { namespace, json, archive = toLayout().archiveDir, ...texts } = typed;
      const options = readReportOptions(texts);
      const source = { archive, namespace, memoryMb: EXPLORE_LIMITS.memoryMbDefault };
      const report = await makeReport(name, options, { client: findPlatform(namespace).client, source });
      if (json) printJson(report);
      else printLine(formatReport(report));
    });
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
