import { cutText, escapeLines, escapeText, toPrintable, toPrintableJson } from '@perennial/kernel';

/**
 * The only file of the command line that writes to the terminal (the tidy test looks). Whatever is printed may hold text
 * of somebody else's: what a terminal would obey, or a reader would not see, is escaped here, and nowhere left to the
 * caller.
 */

/** Longest line, in characters: no value of ours comes near. */
const LINE_CHARS_MAX = 16_384;
/** Longest text of several lines, in characters. */
const TEXT_CHARS_MAX = 1_048_576;
const HASH_CHARS_SHOWN = 12;
/** Longest text within a JSON value that is shown to people; `--json` has all of it. */
const JSON_TEXT_CHARS_MAX = 2_000;

/** Text whose values have been escaped and cut, and whose line breaks are ours. */
export class Printable {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Part = string | number | boolean | Printable;

/** A template tag: the template is ours, each value in it is escaped and cut to VALUE_CHARS_MAX characters. */
export function line(template: TemplateStringsArray, ...values: readonly Part[]): Printable {
  const parts = template.map((text, i) => (i === 0 ? text : toText(values[i - 1] ?? '') + text));
  return new Printable(parts.join(''));
}

/** Lines one below the other. */
export function lines(...all: ReadonlyArray<Printable | string>): Printable {
  return new Printable(all.map((one) => (typeof one === 'string' ? cut(escapeText(one)) : one.text)).join('\n'));
}

/** Rows with aligned columns; the last column is not padded. Cells are escaped and cut to VALUE_CHARS_MAX characters. */
export function toTable(rows: ReadonlyArray<readonly Part[]>): Printable {
  const cells = rows.map((row) => row.map(toText));
  const widths: number[] = [];
  for (const row of cells) for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  const padded = cells.map((row) =>
    row.map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i] ?? 0))).join('  '),
  );
  return new Printable(padded.join('\n'));
}

/** The beginning of a hash, as it is shown to people. */
export function toShortHash(hash: string): string {
  return hash.slice(0, HASH_CHARS_SHOWN);
}

/** A value as indented JSON for people, long texts cut. */
export function toBody(value: unknown, { indent = '' }: { indent?: string } = {}): Printable {
  const json = toPrintableJson(JSON.parse(JSON.stringify(value, cutValue) ?? 'null'), 2);
  return new Printable(cut(`${indent}${json.replaceAll('\n', `\n${indent}`)}`, TEXT_CHARS_MAX));
}

/** Prints one line. Text without a tag is escaped as a whole, line breaks too. */
export function printLine(text: string | Printable = ''): void {
  write(process.stdout, typeof text === 'string' ? cut(escapeText(text)) : text.text);
}

/** Prints a page of ours, such as a report: its line breaks stay. */
export function printText(text: string): void {
  write(process.stdout, escapeLines(text));
}

/** Prints for a script: JSON, indented, without unprintable characters. */
export function printJson(value: unknown): void {
  write(process.stdout, toPrintableJson(value, 2));
}

/** Prints for a script: JSON in one line. */
export function printJsonLine(value: unknown): void {
  write(process.stdout, toPrintableJson(value));
}

/** Prints a file as it is into a file or a pipe, and escaped on a terminal. */
export function printFile(bytes: Uint8Array): void {
  if (process.stdout.isTTY) write(process.stdout, escapeLines(Buffer.from(bytes).toString('utf8')));
  else process.stdout.write(bytes);
}

/** Prints to standard error: progress, notices and errors, of several lines too. */
export function printNotice(text: string): void {
  write(process.stderr, cut(escapeLines(text), TEXT_CHARS_MAX));
}

/** Where commander writes help and wrong usage, which repeats what was typed. */
export const COMMANDER_OUTPUT = {
  writeOut: (text: string) => void process.stdout.write(escapeLines(text)),
  writeErr: (text: string) => void process.stderr.write(escapeLines(text)),
};

function write(stream: NodeJS.WriteStream, text: string): void {
  stream.write(`${text}\n`);
}

function toText(part: Part): string {
  return part instanceof Printable ? part.text : toPrintable(String(part));
}

function cut(text: string, charsMax = LINE_CHARS_MAX): string {
  return cutText(text, charsMax);
}

function cutValue(_name: string, value: unknown): unknown {
  return typeof value === 'string' ? cutText(value, JSON_TEXT_CHARS_MAX, { more: '; --json has all' }) : value;
}
