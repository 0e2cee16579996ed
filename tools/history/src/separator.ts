import { AppError } from '@perennial/kernel';
import { splitRecord } from './split-record.js';

const SEPARATORS = [',', ';', '\t', '|'] as const;

const NAMES: Readonly<Record<string, string>> = {
  comma: ',',
  semicolon: ';',
  tab: '\t',
  '\\t': '\t',
  pipe: '|',
  space: ' ',
};

/** Parses `--separator`: one character, or its name. Throws `config_invalid` for anything else. */
export function parseSeparator(text: string): string {
  const separator = NAMES[text.toLowerCase()] ?? text;
  if (separator.length === 1 && !/["\r\n]/.test(separator)) return separator;
  throw new AppError('config_invalid', `${JSON.stringify(text)} is not one character, or comma, semicolon, tab, pipe`);
}

/** How a message names a separator. */
export function describeSeparator(separator: string): string {
  const name = Object.entries(NAMES).find(([word, character]) => character === separator && word.length > 2)?.[0];
  return name ?? JSON.stringify(separator);
}

/**
 * The separator of a header: the one under which all columns are there that a history needs, else the one that gives the
 * most columns, so that the message about what is missing lists true names. Throws `config_invalid` when two fit alike.
 */
export function findSeparator(header: string, isComplete: (names: readonly string[]) => boolean): string {
  const readings = SEPARATORS.flatMap((separator) => {
    const names = splitRecord(header, separator);
    return names === undefined ? [] : [{ separator, names }];
  });
  const complete = readings.filter(({ names }) => isComplete(names));
  const most = Math.max(...readings.map(({ names }) => names.length));
  const best = (complete.length > 0 ? complete : readings).filter(
    ({ names }) => complete.length > 0 || names.length === most,
  );
  const [found] = best;
  if (found === undefined || (complete.length === 0 && most === 1)) return ',';
  if (best.length === 1) return found.separator;
  const choices = best.map(({ separator }) => describeSeparator(separator)).join(' or ');
  throw new AppError('config_invalid', `the header can be read with ${choices} between columns: pass --separator`);
}
