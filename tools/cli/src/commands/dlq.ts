import { readFileSync } from 'node:fs';
import type { Log } from '@perennial/kafka';
import { AppError, must, toMessage } from '@perennial/kernel';
import { openLog } from '@perennial/launcher';
import { attachStack, toLayout } from '@perennial/native-stack';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { Box } from '../dlq/box.js';
import { createDeadLetterBox } from '../dlq/dead-letter-box.js';
import { formatEntry, formatRedrive, formatRows } from '../dlq/format.js';
import { listEntries } from '../dlq/list.js';
import { type Place, readRecordAt } from '../dlq/records-at.js';
import { redriveAt, redriveNew } from '../dlq/redrive.js';
import { REDRIVE_BYTES_MAX } from '../dlq/redriver.js';
import { createRejectedBox } from '../dlq/rejected-box.js';
import { EXIT } from '../exit-codes.js';
import { createNamespaceOption, parseWhole } from '../options.js';
import { printJson, printLine } from '../output.js';

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
went on. With --rejected the same is said of events that the front door refused.

Examples:
  ./perennial dlq list                     what there is, newest last
  ./perennial dlq show 2:17                everything of one
  ./perennial dlq redrive --all --dry-run   what would be put back
  ./perennial dlq redrive --all             when the cause is gone`,
    );
}

function createListCommand(): Command {
  return addCommonOptions(new Command('list'))
    .description('list what was not taken, newest last')
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
    .action((options: ListOptions) => withBox(options, (log, box) => list(log, box, options)));
}

function createShowCommand(): Command {
  return addCommonOptions(new Command('show'))
    .description('show everything of one: cause, headers, and the record decoded if it can be, else in hex')
    .argument('<position>', 'as list shows it: partition:offset', parsePlaceOption)
    .option('--json', 'print it as JSON, whole')
    .addHelpText(
      'after',
      `
Examples:
  ./perennial dlq show 2:17
  ./perennial dlq show 2:17 --rejected --json | jq .value > event.json   # to correct it: see redrive --with`,
    )
    .action((place: Place, options: CommonOptions) =>
      withBox(options, async (log, box) => {
        const entry = box.toEntry(await readRecordAt(log, box.topic, place));
        if (entry === undefined) {
          throw new AppError('contract_violation', `${toText(place)} of ${box.topic} is no ${box.names[0]}`);
        }
        if (options.json) printJson(entry);
        else printLine(formatEntry(entry));
      }),
    );
}

function createRedriveCommand(): Command {
  return addCommonOptions(new Command('redrive'))
    .description('put it back where it came from, to be processed now')
    .argument('[positions...]', 'as list shows them: partition:offset', (text: string, before: Place[] = []) => [
      ...before,
      parsePlaceOption(text),
    ])
    .option('--all', 'everything since the last redrive --all')
    .option('--dry-run', 'only say what would be put back')
    .option('--with <file>', 'a corrected event (JSON) in place of the one refused; with --rejected and one position')
    .option('--json', 'print {dryRun, redriven, timers, refusedCount, refused}')
    .addHelpText(
      'after',
      `
A record goes back to the topic and partition it was read from, with its key, value and headers, at the end: it counts
as coming now. A timer goes back as a call to its profile alone, which fires it if it is due still. A refused event goes
to event.received and is judged anew.

Remove the cause first: what fails again becomes a dead letter again. A position is put back in each call that
names it. --all remembers where it was and puts nothing back twice, except what was put back by position before.

Examples:
  ./perennial dlq redrive 2:17 2:18
  ./perennial dlq redrive --all --dry-run
  ./perennial dlq redrive --all
  ./perennial dlq redrive 0:4 --rejected --with event.json

Exit code 1 when something was not put back; the reason is in the output.`,
    )
    .action((places: Place[] = [], options: RedriveCommandOptions) => {
      checkRedriveOptions(places, options);
      return withBox(options, (log, box) => redrive(log, box, { places, options }));
    });
}

function addCommonOptions(command: Command): Command {
  return command
    .addOption(createNamespaceOption())
    .option('--rejected', 'of the events that the front door refused, not of dead letters')
    .option('--brokers <host:port,...>', 'of a Kafka elsewhere (default: that of the stack that runs here)');
}

async function list(log: Log, box: Box, { processor, cause, limit, json }: ListOptions): Promise<void> {
  const { rows, count } = await listEntries(log, box, { filter: { processor, cause }, limit });
  if (json) return printJson({ count, entries: rows });
  const [, many] = box.names;
  if (count === 0) return printLine(`no ${many} in ${box.topic}${(processor ?? cause) ? ' that match' : ''}`);
  printLine(formatRows(rows));
  if (count > rows.length) printLine(`${count - rows.length} older ${many} are not shown (--limit)`);
}

async function redrive(
  log: Log,
  box: Box,
  { places, options }: { places: readonly Place[]; options: RedriveCommandOptions },
): Promise<void> {
  const { namespace, all = false, dryRun = false, json } = options;
  const how = { log, box, dryRun };
  const report = all ? await redriveNew(how, namespace) : await redriveAt(how, places);
  if (json) printJson({ dryRun, ...report });
  else printLine(formatRedrive(report, { dryRun, many: box.names[1] }));
  if (report.refusedCount > 0) process.exitCode = EXIT.failed;
}

function checkRedriveOptions(
  places: readonly Place[],
  { all = false, with: file, rejected }: RedriveCommandOptions,
): void {
  if (all === places.length > 0) throw new AppError('config_invalid', 'name positions, or give --all: one of the two');
  if (file !== undefined && (!rejected || places.length !== 1)) {
    throw new AppError('config_invalid', '--with goes with --rejected and one position');
  }
}

async function withBox(
  options: CommonOptions & { readonly with?: string },
  work: (log: Log, box: Box) => Promise<void>,
): Promise<void> {
  const { namespace, rejected, brokers, with: file } = options;
  const replacement = file === undefined ? undefined : readJson(file);
  const log = openLog(findBrokers(brokers), { requestBytesMax: REDRIVE_BYTES_MAX });
  try {
    const box = rejected ? createRejectedBox(log, namespace, replacement) : createDeadLetterBox(log, namespace);
    await work(log, box);
  } finally {
    await log.close();
  }
}

function findBrokers(brokers: string | undefined): { kafkaBrokers: string } {
  if (brokers !== undefined) return { kafkaBrokers: brokers };
  const endpoints = attachStack(toLayout());
  if (endpoints !== undefined) return endpoints;
  throw new AppError('not_found', 'the stack does not run: run `./perennial up` first, or name a Kafka with --brokers');
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new AppError('config_invalid', `--with ${file}: ${toMessage(error)}`, { cause: error });
  }
}

function parsePlaceOption(text: string): Place {
  const match = /^(\d{1,6}):(\d{1,15})$/.exec(text);
  if (match === null) throw new InvalidArgumentError('It must be partition:offset, such as 2:17.');
  return { partition: Number(must(match[1], 'partition')), offset: Number(must(match[2], 'offset')) };
}

function toText({ partition, offset }: Place): string {
  return `${partition}:${offset}`;
}
