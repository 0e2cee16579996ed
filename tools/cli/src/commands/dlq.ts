import type { Log } from '@perennial/kafka';
import { AppError, must, toMessage } from '@perennial/kernel';
import { openLog } from '@perennial/launcher';
import { Command, InvalidArgumentError, Option } from 'commander';
import { createBrokersOption, findBrokers } from '../brokers.js';
import { createDeadLetterQueue } from '../dlq/dead-letter-queue.js';
import { formatEntry, formatRedrive, formatRows } from '../dlq/format.js';
import { listEntries } from '../dlq/list.js';
import type { Queue } from '../dlq/queue.js';
import { type QueuePosition, readRecordAt } from '../dlq/records-at.js';
import { redriveAt, redriveNew } from '../dlq/redrive.js';
import { REDRIVE_BYTES_MAX } from '../dlq/redriver.js';
import { createRejectedQueue } from '../dlq/rejected-queue.js';
import { EXIT } from '../exit-codes.js';
import { createNamespaceOption, parseWhole } from '../options.js';
import { printJson, printLine } from '../output.js';
import { readText } from '../read-text.js';

interface CommonOptions {
  readonly namespace: string;
  readonly rejected?: boolean;
  readonly brokers?: string;
  readonly json?: boolean;
}

interface ListOptions extends CommonOptions {
  readonly processor?: string;
  readonly cause?: string;
  readonly limit: number;
}

interface RedriveCommandOptions extends CommonOptions {
  readonly all?: boolean;
  readonly dryRun?: boolean;
  readonly with?: string;
}

const LIST_LIMIT = 50;
const LIST_LIMIT_MAX = 10_000;

export function createDlqCommand(): Command {
  return new Command('dlq')
    .addCommand(createListCommand())
    .addCommand(createShowCommand())
    .addCommand(createRedriveCommand())
    .addHelpText(
      'after',
      `
A dead letter is a record that a processor could not decode or process; it is kept with its cause, and the partition
went on. With --rejected the commands work on events that ingest rejected.

Examples:
  ./perennial dlq list                     what there is, newest last
  ./perennial dlq show 2:17                everything of one
  ./perennial dlq redrive --all --dry-run   what would be re-published
  ./perennial dlq redrive --all             when the cause is gone`,
    );
}

function createListCommand(): Command {
  return addCommonOptions(new Command('list'))
    .description('list dead letters, newest last')
    .option('--processor <name>', 'only of this one: feature-store, scoring, action')
    .option('--cause <text>', 'only where the cause has this in it')
    .addOption(
      new Option('--limit <n>', 'the newest so many')
        .argParser((text) => parseWhole(text, { min: 1, max: LIST_LIMIT_MAX }))
        .default(LIST_LIMIT),
    )
    .option('--json', 'print {count, entries}')
    .addHelpText(
      'after',
      `
Examples:
  ./perennial dlq list --processor scoring --cause 'under spec'
  ./perennial dlq list --rejected --cause invalid_revenue
  ./perennial dlq list --cause 'under spec' --limit 1000 --json | jq -r '.entries[].position' | xargs ./perennial dlq redrive`,
    )
    .action((options: ListOptions) => withQueue(options, (log, queue) => list(log, queue, options)));
}

function createShowCommand(): Command {
  return addCommonOptions(new Command('show'))
    .description('show one record: cause, headers, and the record decoded if it can be, else in hex')
    .argument('<position>', 'as list shows it: partition:offset', parsePositionOption)
    .option('--json', 'print it as JSON, whole')
    .addHelpText(
      'after',
      `
Examples:
  ./perennial dlq show 2:17
  ./perennial dlq show 2:17 --rejected --json | jq .value > event.json   # to correct it: see redrive --with`,
    )
    .action((position: QueuePosition, options: CommonOptions) =>
      withQueue(options, async (log, queue) => {
        const entry = queue.toEntry(await readRecordAt(log, queue.topic, position));
        if (entry === undefined) {
          throw new AppError('contract_violation', `${toText(position)} of ${queue.topic} is no ${queue.names[0]}`);
        }
        if (options.json) printJson(entry);
        else printLine(formatEntry(entry));
      }),
    );
}

function createRedriveCommand(): Command {
  return addCommonOptions(new Command('redrive'))
    .description('re-publish records to their original topic, to be processed now')
    .argument(
      '[positions...]',
      'as list shows them: partition:offset',
      (text: string, before: QueuePosition[] = []) => [...before, parsePositionOption(text)],
    )
    .option('--all', 'everything since the last redrive --all')
    .option('--dry-run', 'only say what would be re-published')
    .option('--with <file>', 'a corrected event (JSON) in place of the rejected one; with --rejected and one position')
    .option('--json', 'print {dryRun, redriven, timers, skippedCount, skipped}')
    .addHelpText(
      'after',
      `
A record is re-published at the end of its original topic and partition, with its key, value and headers: it counts as
new. A timer is re-published as a call to its profile alone, which fires it if it is still due. A rejected event goes to
event.received and is checked again.

Remove the cause first: what fails again becomes a dead letter again. A position is re-published in each call that
names it. --all remembers where it was and re-publishes nothing twice, except what was re-published by position before.

Examples:
  ./perennial dlq redrive 2:17 2:18
  ./perennial dlq redrive --all --dry-run
  ./perennial dlq redrive --all
  ./perennial dlq redrive 0:4 --rejected --with event.json

Exit code 1 when something was not re-published; the reason is in the output.`,
    )
    .action((positions: QueuePosition[] = [], options: RedriveCommandOptions) => {
      checkRedriveOptions(positions, options);
      return withQueue(options, (log, queue) => redrive(log, queue, { positions, options }));
    });
}

function addCommonOptions(command: Command): Command {
  return command
    .addOption(createNamespaceOption())
    .option('--rejected', 'of the events that ingest rejected, not of dead letters')
    .addOption(createBrokersOption());
}

async function list(log: Log, queue: Queue, { processor, cause, limit, json }: ListOptions): Promise<void> {
  const { rows, count } = await listEntries(log, queue, { filter: { processor, cause }, limit });
  if (json) return printJson({ count, entries: rows });
  const [, many] = queue.names;
  if (count === 0) return printLine(`no ${many} in ${queue.topic}${(processor ?? cause) ? ' that match' : ''}`);
  printLine(formatRows(rows));
  if (count > rows.length) printLine(`${count - rows.length} older ${many} are not shown (--limit)`);
}

async function redrive(
  log: Log,
  queue: Queue,
  { positions, options }: { positions: readonly QueuePosition[]; options: RedriveCommandOptions },
): Promise<void> {
  const { namespace, all = false, dryRun = false, json } = options;
  const how = { log, queue, dryRun };
  const report = all ? await redriveNew(how, namespace) : await redriveAt(how, positions);
  if (json) printJson({ dryRun, ...report });
  else printLine(formatRedrive(report, { dryRun, many: queue.names[1] }));
  if (report.skippedCount > 0) process.exitCode = EXIT.failed;
}

function checkRedriveOptions(
  positions: readonly QueuePosition[],
  { all = false, with: file, rejected }: RedriveCommandOptions,
): void {
  if (all === positions.length > 0)
    throw new AppError('config_invalid', 'name positions, or give --all: one of the two');
  if (file !== undefined && (!rejected || positions.length !== 1)) {
    throw new AppError('config_invalid', '--with goes with --rejected and one position');
  }
}

async function withQueue(
  options: CommonOptions & { readonly with?: string },
  work: (log: Log, queue: Queue) => Promise<void>,
): Promise<void> {
  const { namespace, rejected, brokers, with: file } = options;
  const replacement = file === undefined ? undefined : readJson(file);
  const log = openLog(findBrokers(brokers), { requestBytesMax: REDRIVE_BYTES_MAX });
  try {
    const queue = rejected ? createRejectedQueue(log, namespace, replacement) : createDeadLetterQueue(log, namespace);
    await work(log, queue);
  } finally {
    await log.close();
  }
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readText(file));
  } catch (error) {
    throw new AppError('config_invalid', `--with ${file}: ${toMessage(error)}`, { cause: error });
  }
}

function parsePositionOption(text: string): QueuePosition {
  const match = /^(\d{1,6}):(\d{1,15})$/.exec(text);
  if (match === null) throw new InvalidArgumentError('It must be partition:offset, such as 2:17.');
  return { partition: Number(must(match[1], 'partition')), offset: Number(must(match[2], 'offset')) };
}

function toText({ partition, offset }: QueuePosition): string {
  return `${partition}:${offset}`;
}
