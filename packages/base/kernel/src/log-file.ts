import { existsSync, renameSync } from 'node:fs';

/** Limits of a log file: beyond `bytesMax` it becomes the first of `filesKept` old ones. */
export interface LogFileLimits {
  readonly bytesMax: number;
  readonly filesKept: number;
}

/** The one rule for every process, of the platform and of its stack: 80 MB each. */
export const LOG_FILE_LIMITS: LogFileLimits = { bytesMax: 20 * 1024 * 1024, filesKept: 3 };

/** Makes room for a first old file: `log.1` becomes `log.2`, and so on; the last of `filesKept` is replaced. */
export function shiftOldFiles(path: string, filesKept: number): void {
  for (let number = filesKept - 1; number >= 1; number--)
    if (existsSync(`${path}.${number}`)) renameSync(`${path}.${number}`, `${path}.${number + 1}`);
}
