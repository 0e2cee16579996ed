import { splitRecord } from './split-record.js';

/** A quoted field may span lines; this limit keeps an unclosed quote from consuming the rest of the file. */
export const RECORD_LINES_MAX = 100;
export const RECORD_CHARS_MAX = 1 << 20;

export interface CsvHandlers {
  /** The separator, from the text of the first record; what it throws ends the reading. */
  toSeparator(firstRecord: string): string;
  /** One record: its fields, and the number of its first line (the first line of the file is line 1). */
  onRecord(fields: readonly string[], line: number): void;
  onBadLine(line: number, reason: string): void;
}

/** A line without its end, and the end: `\n`, `\r\n`, `\r`, or nothing at the end of the file. */
interface Line {
  readonly text: string;
  readonly end: string;
}

/** The line with which Excel names the separator of the lines that follow. */
const EXCEL_SEPARATOR = /^"?sep=(.)"?$/i;

/**
 * RFC 4180 records from chunks of text, whatever ends their lines, in one file too. A line that is not CSV is reported
 * alone and reading continues with the next, even after an unclosed quote: a streaming parser would lose everything up
 * to the next quote.
 */
export class CsvReader {
  readonly #handlers: CsvHandlers;
  #separator: string | undefined;
  #rest = '';
  #skipping = false;
  #line = 0;
  /** Lines of a record whose quote is open, the first of them being line `#line - #open.length + 1`. */
  #open: Line[] = [];
  #openText = '';
  #openQuotes = 0;

  constructor(handlers: CsvHandlers) {
    this.#handlers = handlers;
  }

  push(chunk: string): void {
    const text = this.#rest + chunk;
    let from = 0;
    let lineFeed = text.indexOf('\n');
    let carriageReturn = text.indexOf('\r');
    for (;;) {
      const isReturn = carriageReturn >= 0 && (lineFeed < 0 || carriageReturn < lineFeed);
      const at = isReturn ? carriageReturn : lineFeed;
      // The second half of a CRLF may be in the next chunk.
      if (at < 0 || (isReturn && at === text.length - 1)) break;
      const next = isReturn && lineFeed === at + 1 ? at + 2 : at + 1;
      this.#takeLine(text.slice(from, at), isReturn ? text.slice(at, next) : '\n');
      from = next;
      if (lineFeed >= 0 && lineFeed < from) lineFeed = text.indexOf('\n', from);
      if (carriageReturn >= 0 && carriageReturn < from) carriageReturn = text.indexOf('\r', from);
    }
    this.#keepRest(text.slice(from));
  }

  end(): void {
    if (this.#rest !== '' || this.#skipping) {
      const isEnded = this.#rest.endsWith('\r');
      this.#takeLine(isEnded ? this.#rest.slice(0, -1) : this.#rest, isEnded ? '\r' : '');
    }
    this.#rest = '';
    while (this.#open.length > 0) this.#giveUpOpen();
  }

  #keepRest(rest: string): void {
    this.#rest = rest;
    if (rest.length <= RECORD_CHARS_MAX) return;
    this.#skipping = true;
    this.#rest = rest.endsWith('\r') ? '\r' : '';
  }

  #takeLine(text: string, end: string): void {
    this.#line++;
    if (!this.#skipping && text.length <= RECORD_CHARS_MAX) {
      this.#read({ text, end });
      return;
    }
    this.#skipping = false;
    while (this.#open.length > 0) this.#giveUpOpen(1);
    this.#handlers.onBadLine(this.#line, `is longer than ${RECORD_CHARS_MAX} characters`);
  }

  /** Reads the line numbered `#line`, or adds it to the open record. */
  #read(line: Line): void {
    const quotes = countQuotes(line.text);
    if (this.#open.length === 0 && quotes % 2 === 0) {
      if (line.text !== '' && !this.#emit(line.text, this.#line)) this.#reportQuote();
      return;
    }
    this.#openText += (this.#open.at(-1)?.end ?? '') + line.text;
    this.#openQuotes += quotes;
    this.#open.push(line);
    if (this.#openQuotes % 2 === 0) this.#close();
    else if (this.#open.length >= RECORD_LINES_MAX || this.#openText.length > RECORD_CHARS_MAX) this.#giveUpOpen();
  }

  #close(): void {
    if (this.#emit(this.#openText, this.#line - this.#open.length + 1)) this.#forgetOpen();
    else this.#giveUpOpen();
  }

  /** False when the text is not a record. */
  #emit(text: string, line: number): boolean {
    if (this.#separator === undefined) {
      const named = EXCEL_SEPARATOR.exec(text)?.[1];
      this.#separator = named ?? this.#handlers.toSeparator(text);
      if (named !== undefined) return true;
    }
    const fields = splitRecord(text, this.#separator);
    if (fields === undefined) return false;
    this.#handlers.onRecord(fields, line);
    return true;
  }

  /** The first open line is bad; those after it are parsed again. `ahead`: lines counted since the last of them. */
  #giveUpOpen(ahead = 0): void {
    const lines = this.#open;
    const last = this.#line;
    this.#forgetOpen();
    this.#line = last - ahead - lines.length + 1;
    this.#reportQuote();
    for (const line of lines.slice(1)) {
      this.#line++;
      this.#read(line);
    }
    this.#line = last;
  }

  #reportQuote(): void {
    this.#handlers.onBadLine(this.#line, 'has a quote that is out of position or never closes');
  }

  #forgetOpen(): void {
    this.#open = [];
    this.#openText = '';
    this.#openQuotes = 0;
  }
}

function countQuotes(text: string): number {
  let count = 0;
  for (let at = text.indexOf('"'); at >= 0; at = text.indexOf('"', at + 1)) count++;
  return count;
}
