/** Collects the problems of a manifest, so that all can be reported at once. */
export interface Problems {
  readonly found: readonly string[];
  add(problem: string): void;
  /** Adds the problem unless `holds`; returns `holds`. */
  check(holds: boolean, problem: string): boolean;
}

export function createProblems(): Problems {
  const found: string[] = [];
  const add = (problem: string): void => void found.push(`manifest.json: ${problem}`);
  return {
    found,
    add,
    check(holds, problem) {
      if (!holds) add(problem);
      return holds;
    },
  };
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isText(value: unknown, lengthMax = Number.POSITIVE_INFINITY): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= lengthMax;
}

export function isFiniteNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

/** The value formatted as in the file. */
export function toText(value: unknown): string {
  return value === undefined ? 'missing' : JSON.stringify(value);
}

/** The duplicate names, each once. */
export function findRepeated(names: readonly string[]): string[] {
  return [...new Set(names.filter((name, index) => names.indexOf(name) !== index))];
}

/** Reads each item of a list of bounded length; adds a problem when it is no such list. */
export function readList<T>(
  value: unknown,
  field: { readonly name: string; readonly of: string; readonly itemsMax: number },
  problems: Problems,
  read: (item: unknown, where: string) => T | undefined,
): readonly T[] {
  const { name, of, itemsMax } = field;
  if (!Array.isArray(value) || value.length === 0) {
    problems.add(`${name} must be a list of ${of}, at least one`);
    return [];
  }
  if (value.length > itemsMax) {
    problems.add(`${name} has ${value.length} ${of}, ${itemsMax} at most are allowed`);
    return [];
  }
  return value.flatMap((item: unknown, index) => read(item, `${name}[${index}]`) ?? []);
}
