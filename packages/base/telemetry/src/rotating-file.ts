import { copyFileSync, fstatSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { LOG_FILE_LIMITS, type LogFileLimits, shiftOldFiles } from '@perennial/kernel';

/**
 * A log file that stays below its limit. It is copied and emptied instead of renamed: the process's standard output is
 * mostly the same file, opened by whoever started the process, and goes on in it.
 */
export class RotatingFile {
  readonly #path: string;
  readonly #limits: LogFileLimits;
  readonly #fd: number;

  constructor(path: string, limits: LogFileLimits = LOG_FILE_LIMITS) {
    this.#path = path;
    this.#limits = limits;
    this.#fd = openSync(path, 'a', 0o600);
  }

  /** Never throws: a full disk must not stop a service. */
  write(line: string): void {
    try {
      writeSync(this.#fd, line);
      if (fstatSync(this.#fd).size >= this.#limits.bytesMax) this.#rotate();
    } catch {
      // Nothing is left to report it to.
    }
  }

  /** The file is emptied also when the copy fails: the limit comes first. */
  #rotate(): void {
    try {
      shiftOldFiles(this.#path, this.#limits.filesKept);
      copyFileSync(this.#path, `${this.#path}.1`);
    } finally {
      ftruncateSync(this.#fd, 0);
    }
  }
}
