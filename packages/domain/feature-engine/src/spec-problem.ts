/** Keys and indexes that lead to a part of a spec. */
export type SpecPath = ReadonlyArray<string | number>;

/** What is wrong with a part of a spec. */
export interface SpecProblem {
  readonly path: SpecPath;
  readonly message: string;
  /** What it is about, where that is not the value: the key. */
  readonly part?: 'key';
  /** Offset into the text at the path, for a problem within it. */
  readonly start?: number;
  /** What was most likely meant. */
  readonly suggestion?: string | undefined;
}

/** As one line: `features[3].event.nam: is an unknown key, did you mean "name"?` */
export function formatSpecProblem({ path, message, suggestion }: SpecProblem): string {
  const hint = suggestion === undefined ? '' : `, did you mean "${suggestion}"?`;
  return `${path.length === 0 ? 'the spec' : formatPath(path)}: ${message}${hint}`;
}

function formatPath(path: SpecPath): string {
  return path.map((segment, index) => toStep(segment, index === 0)).join('');
}

function toStep(segment: string | number, isFirst: boolean): string {
  if (typeof segment === 'number') return `[${segment}]`;
  return isFirst ? segment : `.${segment}`;
}
