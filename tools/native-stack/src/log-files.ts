import { existsSync, readdirSync, readFileSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Limit of what a process writes to its standard output before its next start puts it aside. The parts of a stack write
 * little there: each keeps a log of its own, which it limits itself, because a process outlives the command that
 * started it.
 */
const OUTPUT_BYTES_MAX = 20 * 1024 * 1024;
const OLD_FILES_KEPT = 3;
const TAIL_LINES = 12;

/** Before a start: an output that has become large is kept as the first of the old ones. */
export function putLargeOutputAside(path: string, bytesMax = OUTPUT_BYTES_MAX): void {
  if (!existsSync(path) || statSync(path).size < bytesMax) return;
  for (let number = OLD_FILES_KEPT - 1; number >= 1; number--)
    if (existsSync(`${path}.${number}`)) renameSync(`${path}.${number}`, `${path}.${number + 1}`);
  renameSync(path, `${path}.1`);
}

/** The file that was written last in a folder of logs; none when there is no such folder. */
export function findNewestLog(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder).map((name) => join(folder, name));
  const newest = files.sort((a, b) => statSync(a).mtimeMs - statSync(b).mtimeMs).at(-1);
  return newest === undefined ? [] : [newest];
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
