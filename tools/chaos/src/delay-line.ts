interface Waiting {
  /** By the monotonic clock. */
  readonly dueMs: number;
  pass(): void;
}

/** Delivers chunks in their order, each at its time or, if an earlier one is due later, right after that one. */
export class DelayLine {
  readonly #waiting: Waiting[] = [];
  #timer: NodeJS.Timeout | undefined;

  push(delayMs: number, pass: () => void): void {
    if (delayMs === 0 && this.#waiting.length === 0) {
      pass();
      return;
    }
    this.#waiting.push({ dueMs: performance.now() + delayMs, pass });
    this.#timer ??= this.#wake();
  }

  #wake(): NodeJS.Timeout | undefined {
    const [first] = this.#waiting;
    return first && setTimeout(() => this.#flush(), Math.max(0, Math.ceil(first.dueMs - performance.now())));
  }

  #flush(): void {
    for (let first = this.#waiting[0]; first !== undefined && first.dueMs <= performance.now(); ) {
      this.#waiting.shift();
      first.pass();
      first = this.#waiting[0];
    }
    this.#timer = this.#wake();
  }
}
