import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { AppError } from '@perennial/kernel';
import { printError, printJsonLine, printLine } from './terminal.js';

/** Sets the title of a terminal, and turns the reading direction. */
const HOSTILE = 'a\u001b]0;owned\u0007b\u202ec';
const ESCAPED = 'a\\u001b]0;owned\\u0007b\\u202ec';

function capture(print: (write: (text: string) => void) => void): string {
  const texts: string[] = [];
  print((text) => texts.push(text));
  return texts.join('');
}

describe('what the launcher prints', () => {
  it('escapes what a terminal would obey, line breaks in a line too', () => {
    expect(capture((write) => printLine(`${HOSTILE}\nd`, write))).toBe(`${ESCAPED}\\u000ad\n`);
  });

  it('is the same value as JSON', () => {
    const text = capture((write) => printJsonLine({ progress: HOSTILE }, write));
    expect(text).toBe(`{"progress":"${ESCAPED}"}\n`);
    expect(JSON.parse(text)).toEqual({ progress: HOSTILE });
  });

  it('keeps the lines of an error', () => {
    const error = new AppError('config_invalid', `one\n${HOSTILE}`);
    expect(capture((write) => printError(error, { prefix: 'provision: ' }, write))).toBe(
      `provision: one\n${ESCAPED}\n`,
    );
  });

  it('escapes a stack and the error that is no Error, and cuts both', () => {
    const withStack = capture((write) => printError(new Error(HOSTILE), { stack: true }, write));
    expect(withStack).toContain(`Error: ${ESCAPED}\n    at `);
    const long = capture((write) => printError('x'.repeat(20_000), {}, write));
    expect(long).toMatch(/^x{16384}\.\.\. \(20000 characters\)\n$/);
  });

  it('goes through one file', () => {
    const sources = readdirSync(import.meta.dirname).filter((name) => /^(?!.*\.test\.).*\.ts$/.test(name));
    const direct = sources.filter((name) =>
      /process\.std(out|err)\.write|console\./.test(readFileSync(join(import.meta.dirname, name), 'utf8')),
    );
    expect(direct).toEqual(['terminal.ts']);
  });
});
