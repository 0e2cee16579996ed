import { cutText, escapeLines, escapeText, toMessage, toPrintableJson } from '@perennial/kernel';

/**
 * The only file of the launcher that writes to standard output and standard error (a test looks). Names and causes may be
 * somebody else's text, and a script's output ends on a terminal or in a log that is shown on one: what a terminal would
 * obey is escaped here.
 */

/** Longest error with its stack, in characters. */
const ERROR_CHARS_MAX = 16_384;

/** Where a line goes; tests replace it. */
export type Write = (text: string) => void;

const toStdout: Write = (text) => void process.stdout.write(text);
const toStderr: Write = (text) => void process.stderr.write(text);

/** Prints one line; line breaks in the text are escaped too. */
export function printLine(text: string, write: Write = toStdout): void {
  write(`${escapeText(text)}\n`);
}

/** Prints JSON in one line: parsed, it is the same value. */
export function printJsonLine(value: unknown, write: Write = toStdout): void {
  write(`${toPrintableJson(value)}\n`);
}

/** Prints why a script ended, with the stack where one is asked for; line breaks stay, since messages list problems. */
export function printError(
  error: unknown,
  { prefix = '', stack = false }: { readonly prefix?: string; readonly stack?: boolean } = {},
  write: Write = toStderr,
): void {
  const text = (stack && error instanceof Error && error.stack) || toMessage(error);
  write(`${prefix}${cutText(text, ERROR_CHARS_MAX, { toSafe: escapeLines })}\n`);
}
