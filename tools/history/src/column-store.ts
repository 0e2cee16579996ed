import { AppError } from '@perennial/kernel';

type NumberArray = Float64Array | Uint32Array;

/** A growing list of numbers in one typed array: 4 or 8 bytes an entry, where an object would take 50 and more. */
export class NumberColumn<T extends NumberArray> {
  #values: T;
  #length = 0;
  readonly #create: (length: number) => T;

  constructor(create: (length: number) => T) {
    this.#create = create;
    this.#values = create(1024);
  }

  get length(): number {
    return this.#length;
  }

  push(value: number): void {
    if (this.#length === this.#values.length) {
      const grown = this.#create(this.#values.length * 2);
      grown.set(this.#values);
      this.#values = grown;
    }
    this.#values[this.#length++] = value;
  }

  at(index: number): number {
    return this.#values[index] as number;
  }

  set(index: number, value: number): void {
    this.#values[index] = value;
  }
}

/** A column that few files have: it takes memory from its first value on, and reads `absent` where none was set. */
export class OptionalColumn<T extends NumberArray> {
  readonly #create: (length: number) => T;
  readonly #absent: number;
  #values: T;

  constructor(create: (length: number) => T, absent: number) {
    this.#create = create;
    this.#absent = absent;
    this.#values = create(0);
  }

  at(index: number): number {
    return this.#values[index] ?? this.#absent;
  }

  set(index: number, value: number): void {
    if (index >= this.#values.length) {
      const grown = this.#create(Math.max(1024, 2 * index));
      grown.fill(this.#absent, this.#values.length);
      grown.set(this.#values);
      this.#values = grown;
    }
    this.#values[index] = value;
  }
}

export function createFloatColumn(): NumberColumn<Float64Array> {
  return new NumberColumn((length) => new Float64Array(length));
}

export function createIndexColumn(): NumberColumn<Uint32Array> {
  return new NumberColumn((length) => new Uint32Array(length));
}

/** A JavaScript Map holds 2^24 entries at most; this limit gives an error with a message instead of a crash. */
const DISTINCT_TEXTS_MAX = 16_000_000;

/** Interned texts: each distinct text once; 0 stands for no text. */
export class TextPool {
  readonly #numbers = new Map<string, number>();
  readonly #texts: Array<string | undefined> = [undefined];
  readonly #what: string;

  constructor(what: string) {
    this.#what = what;
  }

  intern(text: string | undefined): number {
    if (text === undefined) return 0;
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    if (this.#numbers.size >= DISTINCT_TEXTS_MAX) {
      throw new AppError('limit_exceeded', `more than ${DISTINCT_TEXTS_MAX} distinct ${this.#what}: split the file`);
    }
    // A copy: a slice would keep in memory the whole chunk of the file that it was cut from.
    const copy = Buffer.from(text).toString();
    this.#texts.push(copy);
    this.#numbers.set(copy, this.#texts.length - 1);
    return this.#texts.length - 1;
  }

  /** The number of a text that was interned, undefined for another. */
  number(text: string): number | undefined {
    return this.#numbers.get(text);
  }

  text(number: number): string | undefined {
    return this.#texts[number];
  }

  get size(): number {
    return this.#numbers.size;
  }
}

export function createOptionalFloatColumn(): OptionalColumn<Float64Array> {
  return new OptionalColumn((length) => new Float64Array(length), Number.NaN);
}

/** Of numbers of texts, where 0 stands for none. */
export function createOptionalIndexColumn(): OptionalColumn<Uint32Array> {
  return new OptionalColumn((length) => new Uint32Array(length), 0);
}
