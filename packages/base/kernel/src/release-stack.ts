/**
 * Resources in order of acquisition; `dispose` releases them in reverse order, each one even when another release
 * fails.
 */
export class ReleaseStack {
  readonly #releases: Array<{ name: string; release: () => Promise<void> | void }> = [];
  #disposed: Promise<void> | undefined;

  /** Registers how to release a resource. */
  push(name: string, release: () => Promise<void> | void): void {
    this.#releases.push({ name, release });
  }

  /** Acquires and registers in one step. */
  async acquire<T>(name: string, open: () => Promise<T>, release: (value: T) => Promise<void> | void): Promise<T> {
    const value = await open();
    this.push(name, () => release(value));
    return value;
  }

  /** Releases everything once; a second call waits for the first. Throws an AggregateError of all failed releases. */
  dispose(): Promise<void> {
    this.#disposed ??= this.#run();
    return this.#disposed;
  }

  async #run(): Promise<void> {
    const failures: unknown[] = [];
    for (const { name, release } of this.#releases.reverse()) {
      try {
        await release();
      } catch (error) {
        failures.push(new Error(`releasing ${name} failed`, { cause: error }));
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, 'some resources were not released');
  }
}
