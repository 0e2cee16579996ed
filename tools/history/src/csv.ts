import { parse } from 'csv-parse/sync';

/** A quoted field may span lines; this limit keeps an unclosed quote from consuming the rest of the file. */
export const RECORD_LINES_MAX = 100;
export const RECORD_CHARS_MAX = 1 << 20;

export interface CsvHandlers {
  /** One record: its fields, and the number of its first line (the header is line 1). */
  onRecord(fields: readonly string[], line: number): void;
  onBadLine(line: number, reason: string): void;
}

/**
 * RFC 4180 records from chunks of text. Lines without a quote are split here (nearly all are such; this is 5 times as
 * fast); the others go to csv-parse. A line that is not CSV is reported alone and reading continues with the next, even
 * after an unclosed quote: a streaming parser would lose everything up to the next quote.
 */
export class CsvReader {
  readonly #handlers: CsvHandlers;
  #rest = '';
  #skipping = false;
  #line = 0;
  /** Lines of a record whose quote is open, the first of them being line `#line - #open.length + 1`. */
  #open: string[] = [];
  #openChars = 0;

  constructor(handlers: CsvHandlers) {
    this.#handlers = handlers;
  }

  push(chunk: string): void {
    const text = this.#rest + chunk;
    let from = 0;
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', from)) {
      this.#takeLine(text.slice(from, at));
      from = at + 1;
    }
    this.#rest = text.slice(from);
    if (this.#rest.length > RECORD_CHARS_MAX) {
      this.#skipping = true;
      this.#rest = '';
    }
  }

  end(): void {
    if (this.#rest !== '' || this.#skipping) this.#takeLine(this.#rest);
    this.#rest = '';
    while (this.#open.length > 0) this.#giveUpOpen();
  }

  #takeLine(raw: string): void {
    this.#line++;
    if (this.#skipping || raw.length > RECORD_CHARS_MAX) {
      this.#skipping = false;
      while (this.#open.length > 0) this.#giveUpOpen(1);
      this.#handlers.onBadLine(this.#line, `is longer than ${RECORD_CHARS_MAX} characters`);
      return;
    }
    this.#read(raw.endsWith('\r') ? raw.slice(0, -1) : raw);
  }

  /** Reads the line numbered `#line`, or adds it to the open record. */
  #read(line: string): void {
    if (this.#open.length === 0 && !line.includes('"')) {
      if (line !== '') this.#handlers.onRecord(line.split(','), this.#line);
      return;
    }
    this.#open.push(line);
    this.#openChars += line.length;
    const record = this.#open.join('\n');
    if (countQuotes(record) % 2 === 0) this.#close(record);
    else if (this.#open.length >= RECORD_LINES_MAX || this.#openChars > RECORD_CHARS_MAX) this.#giveUpOpen();
  }

  #close(record: string): void {
    const fields = parseRecord(record);
    if (fields === undefined) {
      this.#giveUpOpen();
      return;
    }
    const first = this.#line - this.#open.length + 1;
    this.#open = [];
    this.#openChars = 0;
    this.#handlers.onRecord(fields, first);
  }

  /** The first open line is bad; those after it are parsed again. `ahead`: lines counted since the last of them. */
  #giveUpOpen(ahead = 0): void {
    const lines = this.#open;
    const last = this.#line;
    this.#open = [];
    this.#openChars = 0;
    this.#line = last - ahead - lines.length + 1;
    this.#handlers.onBadLine(this.#line, 'has a quote that is out of place or never closes');
    for (const line of lines.slice(1)) {
      this.#line++;
      this.#read(line);
    }
    this.#line = last;
  }
}

function parseRecord(text: string): string[] | undefined {
  try {
    const records = parse(text, { relax_column_count: true, record_delimiter: '\n' });
    return records.length === 1 ? records[0] : undefined;
  } catch {
    // Not CSV: the caller reports the line; the parser's message would name a line of this fragment.
    return undefined;
  }
}

function countQuotes(text: string): number {
  let count = 0;
  for (let at = text.indexOf('"'); at >= 0; at = text.indexOf('"', at + 1)) count++;
  return count;
}
