import { resolve } from 'node:path';
import {
  type CohortTexts,
  EXPLORE_LIMITS,
  exploreFunnel,
  explorePaths,
  exploreRetention,
  exploreRfm,
  exploreRules,
  type FunnelTexts,
  type PathTexts,
  type Reading,
  type RetentionTexts,
  type RfmTexts,
  type RuleTexts,
  readCohortOptions,
  readFunnelOptions,
  readPathOptions,
  readRetentionOptions,
  readRfmOptions,
  readRuleOptions,
  type SourceTexts,
} from '@perennial/explore';
import { toLayout } from '@perennial/native-stack';
import { Command } from 'commander';
import {
  formatFunnels,
  formatPaths,
  formatReading,
  formatRetention,
  formatRfm,
  formatRules,
} from '../explore/format.js';
import { createNamespaceOption } from '../options.js';
import { lines, type Printable, printJson, printLine, printNotice } from '../output.js';

type Typed<Texts> = Texts & Omit<SourceTexts, 'archive'> & { readonly archive?: string; readonly json?: boolean };

export function createExploreCommand(): Command {
  return new Command('explore')
    .addCommand(createFunnelCommand())
    .addCommand(createPathsCommand())
    .addCommand(createRulesCommand())
    .addCommand(createRetentionCommand())
    .addCommand(createCohortsCommand())
    .addCommand(createRfmCommand());
}

function createFunnelCommand(): Command {
  return createCommand('funnel', 'how many users do one event, then the next, within a limit of time')
    .requiredOption('--steps <event...>', 'names of two events or more; of others than track: page, identify ...')
    .option('--within <span>', 'from the first step to the last', '7d')
    .option('--by <period>', 'one funnel for each week or month in which users began')
    .addHelpText(
      'after',
      `
A step is the first event of its name after the step before; other events may lie between. A user counts once, with
the attempt that came furthest. --from and --to limit when attempts begin.

Example:
  ./perennial explore funnel --steps "Product Viewed" "Product Added" "Order Completed" --within 7d --by week`,
    )
    .action(async (typed: Typed<FunnelTexts>) => {
      const { source, options } = readFunnelOptions(toTexts(typed));
      const found = await exploreFunnel(source, options);
      print(typed, found, () => formatFunnels(found.funnels));
    });
}

function createPathsCommand(): Command {
  return addListOptions(createCommand('paths', 'the most frequent paths: the events with which sessions begin'))
    .option('--start <event>', 'paths begin with the first event of this name in a session')
    .option('--length <n>', 'events of a path', '4')
    .addHelpText('after', '\nExample:\n  ./perennial explore paths --start "Product Viewed" --length 5 --top 10')
    .action(async (typed: Typed<PathTexts>) => {
      const { source, options } = readPathOptions(toTexts(typed));
      const found = await explorePaths(source, options);
      print(typed, found, () => formatPaths(found.paths));
    });
}

function createRulesCommand(): Command {
  return addListOptions(createCommand('rules', 'which items are bought together, or which events happen together'))
    .option('--of <what>', 'items of an order, or events of a session', 'items')
    .option('--items <n>', 'of a rule at most, 2 to 4: those with the first ones have the last too', '2')
    .option('--min-support <share>', 'of all baskets that have all of them', '0.001')
    .option('--min-confidence <share>', 'of the baskets with the first that have the last too', '0.1')
    .addHelpText(
      'after',
      '\nExamples:\n  ./perennial explore rules --min-support 0.0005 --min-confidence 0.2\n  ./perennial explore rules --items 3',
    )
    .action(async (typed: Typed<RuleTexts>) => {
      const { source, options } = readRuleOptions(toTexts(typed));
      const found = await exploreRules(source, options);
      print(typed, found, () => formatRules(found.rules));
    });
}

function createRetentionCommand(): Command {
  return createCommand(
    'retention',
    'of the users who began in a week or month, the share who came back in each after it',
  )
    .requiredOption('--start <event>', "a user's first event of this name decides the cohort")
    .requiredOption('--return <event>', 'what counts as coming back')
    .option('--every <period>', 'week or month, UTC; weeks begin on Monday', 'week')
    .option('--periods <n>', 'periods after the first', String(EXPLORE_LIMITS.periodsDefault))
    .addHelpText(
      'after',
      '\nExample:\n  ./perennial explore retention --start "Order Completed" --return "Order Completed" --every month',
    )
    .action(async (typed: Typed<RetentionTexts>) => {
      const { source, options } = readRetentionOptions(toTexts(typed));
      const found = await exploreRetention(source, options);
      print(typed, found, () => formatRetention(found));
    });
}

function createCohortsCommand(): Command {
  return createCommand(
    'cohorts',
    'users by the week or month of their first event, and the share who came back in each after it',
  )
    .option('--by <period>', 'week or month, UTC; weeks begin on Monday', 'week')
    .option('--first <event>', 'the first event of this name decides the cohort (default: the first of any name)')
    .option('--return <event>', 'what counts as coming back (default: any event)')
    .option('--periods <n>', 'periods after the first', String(EXPLORE_LIMITS.periodsDefault))
    .addHelpText(
      'after',
      `
A device and the user that it joined are one. Period +0 is the one of the first event: who did something after it in
the same period. --from and --to limit when users began. The last row has all cohorts, each in the periods that it has reached.

Examples:
  ./perennial explore cohorts --by month
  ./perennial explore cohorts --by week --return "Order Completed" --from 2026-01-01`,
    )
    .action(async (typed: Typed<CohortTexts>) => {
      const { source, options } = readCohortOptions(toTexts(typed));
      const found = await exploreRetention(source, options);
      print(typed, found, () => formatRetention(found));
    });
}

function createRfmCommand(): Command {
  return createCommand('rfm', 'customers by recency, frequency and money, in eight classes')
    .option('--split <how>', 'where high begins: mean or median of all', 'mean')
    .option('--recency-days <n>', 'recent is less than this, by hand')
    .option('--orders <n>', 'frequent is more than this, by hand')
    .option('--revenue <amount>', 'valuable is more than this, by hand')
    .addHelpText('after', '\nExample:\n  ./perennial explore rfm --split median --recency-days 30 --from 2026-01-01')
    .action(async (typed: Typed<RfmTexts>) => {
      const { source, options } = readRfmOptions(toTexts(typed));
      const found = await exploreRfm(source, options);
      print(typed, found, () => formatRfm(found.rfm));
    });
}

function createCommand(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .addOption(createNamespaceOption())
    .option('--archive <folder>', 'of the event archive (default: that of this installation)')
    .option('--from <time>', 'a day, or a time with its zone, inclusive')
    .option('--to <time>', 'the same, exclusive')
    .option(
      '--memory-mb <n>',
      'memory of DuckDB; the rest goes to a temporary folder',
      String(EXPLORE_LIMITS.memoryMbDefault),
    )
    .option('--threads <n>', 'of DuckDB (default: one for each core)')
    .option('--json', 'print all figures as JSON');
}

function addListOptions(command: Command): Command {
  return command
    .option('--gap <span>', 'a session ends where nothing happens for longer', '30m')
    .option('--top <n>', 'rows of the result', String(EXPLORE_LIMITS.rowsDefault));
}

/** A bucket is left as it is: its problem is reported where the archive is opened. */
function toTexts<Texts>(typed: Typed<Texts>): Texts & SourceTexts {
  const { archive } = typed;
  if (archive === undefined) return { ...typed, archive: toLayout().archiveDir };
  return { ...typed, archive: archive.includes('://') ? archive : resolve(archive) };
}

function print(typed: { readonly json?: boolean }, found: Reading, format: () => Printable): void {
  for (const name of found.unknownEvents) printNotice(`no event of the archive is named ${JSON.stringify(name)}`);
  if (found.missingRecords > 0) printNotice(`the archive lacks ${found.missingRecords} records that the log lost`);
  if (typed.json) printJson(found);
  else printLine(lines(format(), formatReading(found)));
}
