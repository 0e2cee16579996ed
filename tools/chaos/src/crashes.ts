import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The last line that Node writes after an uncaught error. */
const EPITAPH = /^Node\.js v\d/;
const ERROR = /^(Uncaught )?\w*Error\b/;

/**
 * Processes that ended by an uncaught error, from their logs: `scoring-4: Error: ...` and its stack. No fault may cause
 * that.
 */
export function findCrashes(logDir: string): string[] {
  return readdirSync(logDir)
    .filter((name) => name.endsWith('.log'))
    .sort()
    .flatMap((name) => {
      const lines = readFileSync(join(logDir, name), 'utf8').split('\n');
      return lines.flatMap((line, index) => {
        if (!EPITAPH.test(line)) return [];
        const begin = lines.slice(0, index).findLastIndex((before) => ERROR.test(before) || EPITAPH.test(before));
        const last = lines.slice(Math.max(begin, 0), index).join('\n').trim();
        return [`${name.replace(/\.log$/, '')}: ${last}`];
      });
    });
}
