import { AppError } from '@perennial/kernel';
import type { EventTypeCount } from './event-types.js';
import type { History } from './history.js';
import type { NumberSight } from './numbers.js';

const VALUES_SHOWN_MAX = 5;

/**
 * Throws `config_invalid` when next to nothing of the file would count: no rows, only rows left out, more bad rows than
 * the share, or no order though types are near to one. Nothing has been sent then, which could not be taken back.
 */
export function assertUsable(history: History, { badShareMax }: { badShareMax: number }): void {
  const { fileName, rows, badRows, leftOut } = history;
  const fail = (lines: readonly string[]): never => {
    throw new AppError('config_invalid', `${lines.join('\n')}\nnothing was sent`);
  };
  if (rows === 0) fail([`${fileName} has a header and no rows`]);
  if (leftOut.count === rows)
    fail([`all ${rows} rows of ${fileName} are left out by their ${describeLeftOut(history)}`]);
  if (badRows.count > (rows - leftOut.count) * badShareMax) {
    const which = badRows.count >= rows - leftOut.count ? 'no row' : 'too few rows';
    const head = `${which} of ${fileName} can be read: ${badRows.count} of ${rows} are bad`;
    fail([head, ...describeBadRows(history)]);
  }
  const near = history.eventTypes.filter(({ near: type }) => type !== undefined);
  if (history.counts.orders === 0 && near.length > 0) {
    fail([`${fileName} has no row of type purchase`, ...near.map((type) => `  ${describeNear(history, type)}`)]);
  }
}

/** The kinds of bad rows with their number, the first rows and a remedy: two lines a kind and more. */
function describeBadRows({ fileName, badRows }: History): string[] {
  return badRows.byKind.flatMap(({ what, remedy, count, first }) => [
    `  ${count} with ${what}: ${remedy}`,
    ...first.map(({ line, reason }) => `    ${fileName}:${line} ${reason}`),
  ]);
}

/** What may not be as it was meant, though the rows are good. */
export function toWarnings(history: History): string[] {
  const { eventTypes, dialect, sameId, counts } = history;
  const near = eventTypes.filter(({ near: type }) => type !== undefined).map((type) => describeNear(history, type));
  const unused = dialect.unusedColumns
    .slice(0, 50)
    .map((name) => JSON.stringify(name))
    .join(', ');
  return [
    ...near,
    ...(counts.orders === 0 && near.length === 0 && history.length > 0 ? ['no row is a purchase'] : []),
    ...(sameId === 0 ? [] : [`${sameId} events have the id of an earlier one of the file, and count once with it`]),
    ...(dialect.undecided === undefined ? [] : [describeUndecided(history.fileName, dialect.undecided)]),
    ...(dialect.unsaidCurrency === undefined ? [] : [describeUnsaid(history.fileName, dialect.unsaidCurrency)]),
    ...(unused === '' ? [] : [`columns that nothing reads: ${unused}`]),
  ];
}

function describeUndecided(fileName: string, { line, text }: NumberSight): string {
  const decimals = `numbers such as ${text} (${fileName}:${line}) were read with a decimal point`;
  return `${decimals}: pass --decimal , if ${text.replace('.', '')} is meant`;
}

function describeUnsaid(fileName: string, { line, text }: NumberSight): string {
  const unsaid = `no column says the currency, and amounts have a sign, such as ${JSON.stringify(text)} (${fileName}:${line})`;
  return `${unsaid}: they count in the currency of the source, unless --map "currency='EUR'" names theirs`;
}

function describeNear({ fileName }: History, { written, count, line, as, near }: EventTypeCount): string {
  const type = JSON.stringify(written);
  return (
    `${count} rows of type ${type} (first ${fileName}:${line}) count as ${as}, not as ${near}: ` +
    `pass --types ${JSON.stringify(`${written}=${near}`)} if that is meant, or ${JSON.stringify(`${written}=${as}`)}`
  );
}

/** Values for which rows are left out, such as `"pending" (12), "voided" (3)`. */
function describeLeftOut({ leftOut }: History): string {
  const shown = leftOut.values
    .slice(0, VALUES_SHOWN_MAX)
    .map(({ value, count }) => `${JSON.stringify(value)} (${count})`);
  return `value ${shown.join(', ')}${leftOut.values.length > VALUES_SHOWN_MAX ? ' ...' : ''}`;
}
