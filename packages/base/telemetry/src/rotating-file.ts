import { copyFileSync, existsSync, fstatSync, ftruncateSync, openSync, renameSync, writeSync } from 'node:fs';

/** Limits of a log file: beyond `bytesMax` it becomes the first of `filesKept` old ones. */
interface LogFileLimits {
  readonly bytesMax: number;
  readonly filesKept: number;
}

const LOG_FILE_LIMITS: LogFileLimits = { bytesMax: 20 * 1024 * 1024, filesKept: 3 };

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
      shiftOldFiles(this.#path, this.#limits);
      copyFileSync(this.#path, `${this.#path}.1`);
    } finally {
      ftruncateSync(this.#fd, 0);
    }
  }
}

function shiftOldFiles(path: string, { filesKept }: LogFileLimits): void {
  for (let number = filesKept - 1; number >= 1; number--)
    if (existsSync(`${path}.${number}`)) renameSync(`${path}.${number}`, `${path}.${number + 1}`);
}
