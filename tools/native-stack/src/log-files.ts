import { existsSync, readFileSync, renameSync, statSync } from 'node:fs';
import { shiftOldFiles } from '@perennial/kernel';
import { LOG_LIMITS, type LogLimits } from './log-keeper.js';

const TAIL_LINES = 12;

/** Before a start: an output that has become large is kept as the first of the old ones. */
export function putLargeOutputAside(path: string, { bytesMax, filesKept }: LogLimits = LOG_LIMITS): void {
  if (!existsSync(path) || statSync(path).size < bytesMax) return;
  shiftOldFiles(path, filesKept);
  renameSync(path, `${path}.1`);
}

/** The last lines of logs and their paths, for the end of an error message. */
export function describeLogTails(paths: readonly string[]): string {
  return paths.map(describeLogTail).join('');
}

function describeLogTail(path: string): string {
  let text = '';
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    // No log yet: nothing to report.
    return `; log: ${path}`;
  }
  const lines = text.trimEnd().split('\n').slice(-TAIL_LINES);
  return `; the end of ${path}:\n${lines.map((line) => `  | ${line}`).join('\n')}`;
}
