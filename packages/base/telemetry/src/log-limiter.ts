/** Limits of the lines of one logger. */
export interface LogLimits {
  /** Length of an interval. */
  readonly intervalMs: number;
  /** Equal lines written in an interval; the rest are counted. */
  readonly equalLinesMax: number;
  /** Warnings and errors of an interval, of whatever kind; the rest are counted. */
  readonly linesMax: number;
  /** Kinds of lines that are counted apart in an interval; further ones count as one kind. */
  readonly kindsMax: number;
}

export const LOG_LIMITS: LogLimits = { intervalMs: 10_000, equalLinesMax: 3, linesMax: 200, kindsMax: 500 };

/** What became of lines that were not written. */
interface Suppressed<T> {
  /** The last of them. */
  readonly last: T;
  readonly count: number;
}

export interface LogLimiterOptions<T> {
  readonly limits?: LogLimits;
  /** Monotonic milliseconds. */
  readonly nowMs: () => number;
  /** Runs once after that time, unless it is cancelled; it must not keep a process alive. */
  readonly schedule: (ms: number, run: () => void) => { cancel(): void };
  /** Writes the one line for lines that were suppressed. */
  readonly writeSummary: (suppressed: Suppressed<T>) => void;
}

interface Kind<T> {
  written: number;
  suppressed: number;
  last: T;
}

const OTHER_KINDS = '';

/**
 * Limits a log in rate: of equal lines a few are written in each interval, and one with the number of those that were
 * not. Every line is either written or counted. Memory is bounded by the number of kinds.
 */
export class LogLimiter<T> {
  readonly #options: LogLimiterOptions<T>;
  readonly #limits: LogLimits;
  readonly #kinds = new Map<string, Kind<T>>();
  #written = 0;
  #startedMs: number;
  #ending: { cancel(): void } | undefined;

  constructor(options: LogLimiterOptions<T>) {
    this.#options = options;
    this.#limits = options.limits ?? LOG_LIMITS;
    this.#startedMs = options.nowMs();
  }

  /** Whether this line may be written; if not, it is counted. */
  admit(name: string, line: T): boolean {
    this.#roll();
    const kind = this.#toKind(name, line);
    if (kind.written < this.#limits.equalLinesMax && this.#written < this.#limits.linesMax) {
      kind.written++;
      this.#written++;
      return true;
    }
    kind.suppressed++;
    kind.last = line;
    this.#ending ??= this.#options.schedule(this.#limits.intervalMs, () => this.flush());
    return false;
  }

  /** Ends the interval: writes what was suppressed in it. */
  flush(): void {
    this.#ending?.cancel();
    this.#ending = undefined;
    const suppressed = [...this.#kinds.values()].filter((kind) => kind.suppressed > 0);
    this.#kinds.clear();
    this.#written = 0;
    this.#startedMs = this.#options.nowMs();
    for (const { suppressed: count, last } of suppressed) this.#options.writeSummary({ last, count });
  }

  #roll(): void {
    if (this.#options.nowMs() - this.#startedMs >= this.#limits.intervalMs) this.flush();
  }

  #toKind(name: string, line: T): Kind<T> {
    const isKnown = this.#kinds.has(name) || this.#kinds.size < this.#limits.kindsMax;
    const key = isKnown ? name : OTHER_KINDS;
    const kind = this.#kinds.get(key) ?? { written: 0, suppressed: 0, last: line };
    this.#kinds.set(key, kind);
    return kind;
  }
}
