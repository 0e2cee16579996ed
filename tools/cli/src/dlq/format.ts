import { toTable } from '../output.js';
import type { Row } from './list.js';
import type { Entry } from './queue.js';
import type { RedriveReport } from './redriver.js';

/** A cause may be a whole stack trace; the list shows its beginning. */
const CAUSE_CHARS_MAX = 160;
/** Longest hex value or text shown; `--json` gives more. */
const TEXT_CHARS_MAX = 2_000;

/** One line an entry, below a header line. */
export function formatRows(rows: readonly Row[]): string {
  const cells = rows.map(({ position, time, processor, kind, origin, key, cause }) => [
    position,
    time,
    processor,
    kind,
    origin,
    key ?? '-',
    toOneLine(cause),
  ]);
  return toTable([['POSITION', 'TIME', 'PROCESSOR', 'KIND', 'ORIGIN', 'KEY', 'CAUSE'], ...cells]);
}

/** All details of one entry. */
export function formatEntry(entry: Entry): string {
  const { position, time, processor, kind, origin, key, cause, notes, headers, value } = entry;
  const facts = { cause, origin, key: key ?? '(none)', ...notes };
  const lines = [`${position}  ${time}  not taken by ${processor}  ${kind}`];
  lines.push(toTable(Object.entries(facts).map(([name, text]) => [`  ${name}`, text])));
  for (const [name, text] of Object.entries(headers)) lines.push(`    ${name}: ${text}`);
  const body = JSON.stringify(value, cutText, 2) ?? 'null';
  lines.push(`  ${body.replaceAll('\n', '\n  ')}`);
  return lines.join('\n');
}

/** What was re-published, and what was not, with the reason. */
export function formatRedrive(report: RedriveReport, { dryRun, many }: { dryRun: boolean; many: string }): string {
  const { redriven, timers, skippedCount, skipped } = report;
  const lines = Object.entries(redriven).map(
    ([topic, count]) => `${dryRun ? 'would re-publish' : 're-published'} ${count} to ${topic}`,
  );
  if (timers > 0) lines.push(`  of these ${timers} timers: each fires for its profile alone, if it is due still`);
  if (skippedCount > 0) lines.push(`not re-published: ${skippedCount}`);
  for (const { position, reason } of skipped) lines.push(`  ${position}  ${reason}`);
  if (skippedCount > skipped.length) lines.push(`  and ${skippedCount - skipped.length} more`);
  if (lines.length === 0) lines.push(`nothing to re-publish: no ${many} since the last redrive --all`);
  return lines.join('\n');
}

function toOneLine(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ');
  return line.length > CAUSE_CHARS_MAX ? `${line.slice(0, CAUSE_CHARS_MAX - 3)}...` : line;
}

function cutText(_name: string, value: unknown): unknown {
  if (typeof value !== 'string' || value.length <= TEXT_CHARS_MAX) return value;
  return `${value.slice(0, TEXT_CHARS_MAX)}... (${value.length} characters; --json has all)`;
}
