import type { BackfillResult } from '@perennial/backfill';
import { describeSeparator } from '@perennial/history';
import { printLine, toTable } from './output.js';

const EXAMPLES_MAX = 3;
const VALUES_MAX = 5;

/** Prints what came of a backfill, for a person. */
export function printSummary(result: BackfillResult): void {
  const { file, namespace } = result;
  if (result.alreadyBackfilled) {
    printLine(`all ${toText(result.repeatedRows)} rows of ${file} were backfilled into namespace ${namespace} before`);
    printLine(`log time of the namespace: ${result.logTime}`);
  } else {
    const from = result.resumedFrom === null ? '' : `; earlier runs had sent rows up to ${result.resumedFrom}`;
    printLine(`backfilled ${file} into namespace ${namespace} in ${result.seconds.toFixed(1)} s${from}`);
  }
  printLine(toTable(toRows(result)));
  printBadRows(result);
  for (const { reason, count, first } of result.events.rejections) {
    printLine(`  rejected: ${toText(count)} events, ${reason}`);
    for (const { line, message } of first.slice(0, EXAMPLES_MAX)) printLine(`    ${file}:${line} ${message}`);
  }
  for (const warning of result.warnings) printLine(`  note: ${warning}`);
  printLine(`next: ./perennial topic action.decided --namespace ${namespace} --limit 3`);
}

function toRows(result: BackfillResult): string[][] {
  const { events, badRows, leftOut, dialect } = result;
  const decimals = dialect.decimal === ',' ? ', decimal commas' : '';
  return [
    ['  read as', dialect.encoding, `separated by ${describeSeparator(dialect.separator)}${decimals}`],
    ['  rows', toText(result.rows), `${toText(badRows.count)} of them bad`],
    ...(leftOut.count === 0 ? [] : [['  left out', toText(leftOut.count), `rows with ${toValues(leftOut.values)}`]]),
    ['  repeated', toText(result.repeatedRows), 'rows, sent by earlier runs and not again'],
    [
      '  events sent',
      toText(events.sent),
      `${toText(events.accepted)} accepted, ${toText(events.rejected)} rejected, ${toText(events.duplicates)} duplicates`,
    ],
    [
      '  in the file',
      toText(result.orders),
      `orders, ${toText(result.refunds)} refunds, ${toText(result.others)} others, of ${toText(result.users)} users`,
    ],
    ...toTypes(result).map(([written, as]) => ['  type', written, `counts as ${as}`]),
    ['  log time', result.logTime ?? '-', `${toText(result.ticks)} ticks`],
  ];
}

/** Types that count under another name than the file's. */
function toTypes({ eventTypes }: BackfillResult): Array<[string, string]> {
  return eventTypes
    .filter(({ written, as }) => written !== as)
    .slice(0, VALUES_MAX)
    .map(({ written, as, count }) => [JSON.stringify(written), `${as} (${toText(count)} rows)`]);
}

function printBadRows({ file, badRows }: BackfillResult): void {
  for (const { what, remedy, count, first } of badRows.byKind) {
    printLine(`  bad: ${toText(count)} rows with ${what}: ${remedy}`);
    for (const { line, reason } of first.slice(0, EXAMPLES_MAX)) printLine(`    ${file}:${line} ${reason}`);
  }
  if (badRows.count > badRows.first.length) printLine('  --json lists the first 100');
}

function toValues(values: BackfillResult['leftOut']['values']): string {
  const shown = values.slice(0, VALUES_MAX).map(({ value, count }) => `${JSON.stringify(value)} (${toText(count)})`);
  return shown.join(', ');
}

function toText(value: number | null): string {
  return value === null ? 'unknown' : value.toLocaleString('en-US');
}
