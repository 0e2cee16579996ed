import { toPrintable } from '@perennial/kernel';
import { line, lines, Printable, toBody, toTable } from '../output.js';
import type { Row } from './list.js';
import type { Entry } from './queue.js';
import type { RedriveReport } from './redriver.js';

/** A cause may be a whole stack trace; the list shows its beginning. */
const CAUSE = { charsMax: 160 };
/** `show` has room for more of it. */
const FACT = { charsMax: 2_000 };

/** One line an entry, below a header line. */
export function formatRows(rows: readonly Row[]): Printable {
  const cells = rows.map(({ position, time, processor, kind, origin, key, cause }) => [
    position,
    time,
    processor,
    kind,
    origin,
    key ?? '-',
    toPrintable(cause.replaceAll(/\s+/g, ' '), CAUSE),
  ]);
  return toTable([['POSITION', 'TIME', 'PROCESSOR', 'KIND', 'ORIGIN', 'KEY', 'CAUSE'], ...cells]);
}

/** All details of one entry. */
export function formatEntry(entry: Entry): Printable {
  const { position, time, processor, kind, origin, key, cause, notes, headers, value } = entry;
  const facts = { cause, origin, key: key ?? '(none)', ...notes };
  return lines(
    line`${position}  ${time}  not taken by ${processor}  ${kind}`,
    toTable(Object.entries(facts).map(([name, text]) => [`  ${name}`, new Printable(toPrintable(text, FACT))])),
    ...Object.entries(headers).map(([name, text]) => line`    ${name}: ${text}`),
    toBody(value, { indent: '  ' }),
  );
}

/** What was re-published, and what was not, with the reason. */
export function formatRedrive(report: RedriveReport, { dryRun, many }: { dryRun: boolean; many: string }): Printable {
  const { redriven, timers, skippedCount, skipped } = report;
  const said = Object.entries(redriven).map(
    ([topic, count]) => line`${dryRun ? 'would re-publish' : 're-published'} ${count} to ${topic}`,
  );
  if (timers > 0) said.push(line`  of these ${timers} timers: each fires for its profile alone, if it is due still`);
  if (skippedCount > 0) said.push(line`not re-published: ${skippedCount}`);
  for (const { position, reason } of skipped) said.push(line`  ${position}  ${reason}`);
  if (skippedCount > skipped.length) said.push(line`  and ${skippedCount - skipped.length} more`);
  if (said.length === 0) said.push(line`nothing to re-publish: no ${many} since the last redrive --all`);
  return lines(...said);
}
