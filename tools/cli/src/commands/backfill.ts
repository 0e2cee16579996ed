import type { BackfillResult } from '@perennial/backfill';
import { parseNamespace } from '@perennial/contracts';
import { type ColumnMap, parseColumnMap, parseTimestamp } from '@perennial/history';
import { AppError, toMessage } from '@perennial/kernel';
import { openLog } from '@perennial/launcher';
import { Command, InvalidArgumentError, Option } from 'commander';
import { backfillInto } from '../backfill.js';
import { createPartitionsOption } from '../options.js';
import { printJson, printLine, toTable } from '../output.js';
import { createProgress } from '../progress.js';
import { obtainWriteKey } from '../write-key.js';
import { up } from './up.js';

interface BackfillOptions {
  readonly namespace: string;
  readonly partitions?: number;
  readonly map?: ColumnMap;
  readonly until?: number;
  readonly via: 'http' | 'kafka';
  readonly json?: boolean;
}

const BAD_ROWS_SHOWN_MAX = 10;

export function createBackfillCommand(): Command {
  return new Command('backfill')
    .argument('<file>', 'CSV, gzip or not, columns user_id,ts,event_type,item_id,session_id,quantity,value,extra')
    .addOption(
      new Option('--namespace <name>', 'where it goes: any but live, which runs by the wall clock')
        .argParser(parseBackfillNamespace)
        .default('backfill'),
    )
    .addOption(createPartitionsOption())
    .addOption(new Option('--map <column=name,...>', 'other names of columns').argParser(parseMapOption))
    .addOption(
      new Option('--until <time>', 'stop at this time, rows of that very moment included').argParser(parseTime),
    )
    .addOption(new Option('--via <way>', 'how events are sent').choices(['http', 'kafka']).default('http'))
    .option('--json', 'print the totals as JSON')
    .addHelpText(
      'after',
      `
Rows with one user and session_id form one order. A backfill that was interrupted goes on where it stopped when it is run
again; a file that was backfilled into the namespace before is named and left alone.

Examples:
  ./perennial backfill orders.csv.gz
  ./perennial backfill orders.csv --namespace shop --map user_id=customer,ts=ordered_at
  ./perennial backfill orders.csv --namespace shop --until 2011-06-30   and later, to go on: without --until
  ./perennial backfill orders.csv --via kafka --json | jq .events`,
    )
    .action(async (file: string, options: BackfillOptions) => {
      const result = await backfill(file, options);
      if (options.json) printJson(result);
      else printSummary(result);
      if (!result.settled) {
        throw new AppError('timeout', `the platform is not done: still behind are ${JSON.stringify(result.lags)}`);
      }
    });
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
    const { map, until: untilMs, via } = options;
    return await backfillInto({
      platform,
      log,
      writeKey,
      file,
      map,
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

function printSummary(result: BackfillResult): void {
  const { file, namespace, events, badRows } = result;
  const number = (value: number | null) => (value === null ? 'unknown' : value.toLocaleString('en-US'));
  if (result.alreadyBackfilled) {
    printLine(
      `${file} (sha256 ${result.sha256.slice(0, 12)}) was backfilled into namespace ${namespace} before: left alone`,
    );
    printLine(`log time of the namespace: ${result.logTime}`);
    return;
  }
  const from = result.resumedFrom === null ? '' : `, going on from ${result.resumedFrom}`;
  printLine(`backfilled ${file} into namespace ${namespace} in ${result.seconds.toFixed(1)} s${from}`);
  printLine(
    toTable([
      ['  rows', number(result.rows), `${number(badRows.count)} of them bad`],
      [
        '  events sent',
        number(events.sent),
        `${number(events.accepted)} accepted, ${number(events.rejected)} rejected, ${number(events.duplicates)} duplicates`,
      ],
      [
        '  in the file',
        number(result.orders),
        `orders, ${number(result.refunds)} refunds, ${number(result.others)} others, of ${number(result.users)} users`,
      ],
      ['  log time', result.logTime ?? '-', `${number(result.ticks)} ticks`],
    ]),
  );
  for (const { line, reason } of badRows.first.slice(0, BAD_ROWS_SHOWN_MAX)) printLine(`  line ${line} ${reason}`);
  if (badRows.count > BAD_ROWS_SHOWN_MAX)
    printLine(`  and ${number(badRows.count - BAD_ROWS_SHOWN_MAX)} more; --json lists up to 100`);
  printLine(`next: ./perennial topic action.decided --namespace ${namespace} --limit 3`);
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

function parseMapOption(text: string): ColumnMap {
  try {
    return parseColumnMap(text);
  } catch (error) {
    throw new InvalidArgumentError(toMessage(error));
  }
}

function parseTime(text: string): number {
  const time = parseTimestamp(text);
  if (typeof time === 'string') throw new InvalidArgumentError(`It ${time}; or give a date alone.`);
  return time;
}
