import type { BackfillResult } from '@perennial/backfill';
import { parseNamespace } from '@perennial/contracts';
import { parseTimestamp } from '@perennial/history';
import { AppError, toMessage } from '@perennial/kernel';
import { openLog } from '@perennial/launcher';
import { Command, InvalidArgumentError, Option } from 'commander';
import { backfillInto } from '../backfill.js';
import { printSummary } from '../backfill-report.js';
import { createPartitionsOption } from '../options.js';
import { printJson } from '../output.js';
import { createProgress } from '../progress.js';
import { addReadingOptions, MAP_HELP, type ReadingOptions, toReadOptions } from '../reading-options.js';
import { obtainWriteKey } from '../write-key.js';
import { up } from './up.js';

interface BackfillOptions extends ReadingOptions {
  readonly namespace: string;
  readonly partitions?: number;
  readonly until?: number;
  readonly via: 'http' | 'kafka';
  readonly json?: boolean;
}

export function createBackfillCommand(): Command {
  const command = new Command('backfill')
    .argument('<file>', 'CSV, gzip or not, with a header: user_id, ts, event_type and more, under any names')
    .addOption(
      new Option('--namespace <name>', 'where it goes: any but live, which runs by the wall clock')
        .argParser(parseBackfillNamespace)
        .default('backfill'),
    )
    .addOption(createPartitionsOption());
  return addReadingOptions(command)
    .addOption(
      new Option('--until <time>', 'stop at this time, rows of that very moment included').argParser(parseTime),
    )
    .addOption(new Option('--via <way>', 'how events are sent').choices(['http', 'kafka']).default('http'))
    .option('--json', 'print the totals as JSON')
    .addHelpText(
      'after',
      `${MAP_HELP}

A row that was backfilled into the namespace before is not sent again, in whatever file it comes and however much later: a
row is the same if its content is, or its --id. Of equal rows in one file each counts. An interrupted backfill goes on
where it stopped when it is run again. docs/HISTORY.md has the presets and more.

Exit codes: 0 done (bad rows and notes are listed); 2 nothing was sent, since the file or an option is not as it must be;
1 it failed on the way, or every event was rejected.

Examples:
  ./perennial backfill orders.csv.gz
  ./perennial backfill orders_export.csv --namespace shop --preset shopify
  ./perennial backfill orders.csv --namespace shop --map "user_id=customer,ts=ordered_at,event_type='purchase',value=amount"
  ./perennial backfill orders.csv --namespace shop --until 2011-06-30   and later, to go on: without --until
  ./perennial backfill orders.csv --via kafka --json | jq .events`,
    )
    .action(async (file: string, options: BackfillOptions) => {
      const result = await backfill(file, options);
      if (options.json) printJson(result);
      else printSummary(result);
      checkResult(result);
    });
}

function checkResult({ settled, lags, events }: BackfillResult): void {
  if (!settled) {
    throw new AppError('timeout', `the platform is not done: still behind are ${JSON.stringify(lags)}`);
  }
  if (events.sent > 0 && events.rejected >= events.sent) {
    throw new AppError('contract_violation', `all ${events.sent} events were rejected`);
  }
}

async function backfill(file: string, options: BackfillOptions): Promise<BackfillResult> {
  const { namespace, partitions } = options;
  const platform = await up({ namespace, ...(partitions === undefined ? {} : { partitions }) });
  const progress = createProgress();
  const aborted = new AbortController();
  const abort = () => aborted.abort();
  process.once('SIGINT', abort).once('SIGTERM', abort);
  const log = openLog(platform.endpoints);
  try {
    const writeKey = await obtainWriteKey(platform, 'backfill');
    const { until: untilMs, via } = options;
    return await backfillInto({
      platform,
      log,
      writeKey,
      file,
      reading: toReadOptions(options),
      untilMs,
      via,
      report: progress.report,
      signal: aborted.signal,
    });
  } finally {
    process.off('SIGINT', abort).off('SIGTERM', abort);
    progress.done();
    await log.close();
  }
}

function parseBackfillNamespace(text: string): string {
  try {
    parseNamespace(text);
  } catch (error) {
    throw new InvalidArgumentError(toMessage(error));
  }
  if (text === 'live') {
    throw new InvalidArgumentError(
      'live runs by the wall clock, where all of a history would be long past: name another.',
    );
  }
  return text;
}

function parseTime(text: string): number {
  const time = parseTimestamp(text);
  if (typeof time === 'string') throw new InvalidArgumentError(`It ${time}; or give a date alone.`);
  return time;
}
