import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, type Scalar } from 'yaml';
import { findNearest } from './nearest.js';
import type { Parsed, Problem } from './problem.js';

const YAML_LENGTH_MAX = 256 * 1024;
const PROBLEMS_MAX = 100;

/** A place in the file, to report problems found after reading. */
export interface Place {
  readonly offset: number;
}

/** Collects problems while a file is read. */
export interface YamlContext {
  report(place: Place, message: string, suggestion?: string): void;
  /** A name of a kind (such as `stage`) that others in the file may refer to. */
  declare(kind: string, name: string): void;
  /** A name that must be declared somewhere in the file, before or after. */
  refer(kind: string, name: string, place: Place): void;
  /** The place in the file of an offset into a scalar's text. */
  placeWithin(node: Scalar, offset: number): Place;
}

/** How to read one node of the file: gives the value, or reports what is wrong and gives undefined. */
export interface Shape<T> {
  read(node: Node | null, place: Place, context: YamlContext): T | undefined;
  /** Present when the key may be absent, and what it then is. */
  readonly optional?: { readonly fallback: T };
}

export type ShapeValue<S> = S extends Shape<infer T> ? T : never;

/**
 * Reads a YAML file against a shape and then `check`, and gives the value or every problem at once, each with file,
 * line, column and, for a mistyped word, the nearest right one.
 */
export function parseYaml<T>(
  text: string,
  shape: Shape<T>,
  options: {
    fileName: string;
    /** Names declared elsewhere, by kind. */
    names?: Readonly<Record<string, Iterable<string>>>;
    check?: (value: T, report: YamlContext['report']) => void;
  },
): Parsed<T> {
  const lines = new LineCounter();
  const problems: Problem[] = [];
  const report = (place: Place, message: string, suggestion?: string): void => {
    if (problems.length >= PROBLEMS_MAX) return;
    const { line, col } = lines.linePos(Math.min(Math.max(place.offset, 0), text.length));
    const position = { file: options.fileName, line: Math.max(line, 1), column: Math.max(col, 1) };
    problems.push({ ...position, message, ...(suggestion === undefined ? {} : { suggestion }) });
  };
  if (text.length > YAML_LENGTH_MAX) {
    report({ offset: 0 }, `the file is larger than ${YAML_LENGTH_MAX} characters`);
    return { ok: false, problems };
  }
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  for (const error of document.errors) report({ offset: error.pos[0] }, error.message);
  if (problems.length > 0) return { ok: false, problems };
  const references = createReferences(options.names ?? {});
  const placeWithin = (node: Scalar, offset: number): Place => toPlaceWithin(text, node, offset);
  const value = shape.read(document.contents, { offset: 0 }, { ...references, report, placeWithin });
  references.check(report);
  // What goes beyond names makes sense only over a file that has the right form.
  if (value !== undefined && problems.length === 0) options.check?.(value, report);
  if (value === undefined || problems.length > 0) {
    problems.sort((a, b) => a.line - b.line || a.column - b.column);
    return { ok: false, problems };
  }
  return { ok: true, value };
}

/** Names and what refers to them; checked at the end, even in a file that has other problems. */
function createReferences(names: Readonly<Record<string, Iterable<string>>>) {
  const declared = new Map(Object.entries(names).map(([kind, known]) => [kind, new Set(known)]));
  const referred: Array<{ kind: string; name: string; place: Place }> = [];
  return {
    declare(kind: string, name: string): void {
      declared.set(kind, (declared.get(kind) ?? new Set()).add(name));
    },
    refer(kind: string, name: string, place: Place): void {
      referred.push({ kind, name, place });
    },
    check(report: YamlContext['report']): void {
      for (const { kind, name, place } of referred) {
        // A kind of which nothing is known is not checked: a missing section is a problem of its own.
        const known = declared.get(kind);
        if (known !== undefined && !known.has(name)) {
          report(place, `unknown ${kind} "${name}"`, findNearest(name, known));
        }
      }
    },
  };
}

/** Where a node begins. */
export function toPlace(node: Node | null | undefined, otherwise: Place): Place {
  return node?.range === undefined || node.range === null ? otherwise : { offset: node.range[0] };
}

/**
 * YAML folds and indents, but changes only white space (and escapes in quotes): so count the visible characters of the
 * scalar's text up to the offset, and the same number of them in the file.
 */
function toPlaceWithin(text: string, node: Scalar, offset: number): Place {
  const start = node.range?.[0] ?? 0;
  const value = String(node.value);
  const isBlock = node.type === 'BLOCK_FOLDED' || node.type === 'BLOCK_LITERAL';
  let at = start;
  if (isBlock) at = text.indexOf('\n', start) + 1;
  else if (node.type === 'QUOTE_DOUBLE' || node.type === 'QUOTE_SINGLE') at = start + 1;
  let visible = value.slice(0, offset).replaceAll(/\s/g, '').length;
  const isEscape = (index: number): boolean =>
    (node.type === 'QUOTE_DOUBLE' && text[index] === '\\') ||
    (node.type === 'QUOTE_SINGLE' && text[index] === "'" && text[index + 1] === "'");
  while (at < text.length) {
    if (/\s/.test(text[at] ?? '')) at++;
    else if (visible === 0) break;
    else {
      if (isEscape(at)) at++;
      at++;
      visible--;
    }
  }
  return { offset: at };
}

/** An object with known keys; unknown ones are reported with the nearest known. */
export function object<S extends Record<string, Shape<unknown>>>(
  shapes: S,
): Shape<{ readonly [K in keyof S]: ShapeValue<S[K]> } & { readonly place: Place }> {
  return {
    read(node, place, context) {
      if (!isMap(node))
        return context.report(toPlace(node, place), 'a mapping of keys to values is needed here') as undefined;
      const here = toPlace(node, place);
      const values = new Map<string, unknown>();
      let complete = true;
      for (const { key, value } of node.items) {
        const name = isScalar(key) ? String(key.value) : String(key);
        const keyPlace = toPlace(key as Node, here);
        const shape = Object.hasOwn(shapes, name) ? shapes[name] : undefined;
        if (shape === undefined) {
          const suggestion = findNearest(
            name,
            Object.keys(shapes).filter((known) => !node.has(known)),
          );
          context.report(keyPlace, `unknown key "${name}"`, suggestion);
          complete = false;
          continue;
        }
        const read = shape.read(value as Node | null, keyPlace, context);
        if (read === undefined) complete = false;
        values.set(name, read);
      }
      for (const [name, shape] of Object.entries(shapes)) {
        if (values.has(name)) continue;
        if (shape.optional !== undefined) values.set(name, shape.optional.fallback);
        else {
          context.report(here, `the key "${name}" is missing`);
          complete = false;
        }
      }
      if (!complete) return undefined;
      // The shapes have just checked every key.
      return { ...Object.fromEntries(values), place: here } as unknown as { [K in keyof S]: ShapeValue<S[K]> } & {
        place: Place;
      };
    },
  };
}

/** A list; every item is read, so that all problems are reported. */
export function list<T>(item: Shape<T>, limits: { itemsMin?: number; itemsMax: number }): Shape<readonly T[]> {
  return {
    read(node, place, context) {
      const here = toPlace(node, place);
      if (!isSeq(node)) return context.report(here, 'a list is needed here') as undefined;
      if (node.items.length > limits.itemsMax)
        context.report(here, `at most ${limits.itemsMax} items are allowed here`);
      if (node.items.length < (limits.itemsMin ?? 0))
        context.report(here, `at least ${limits.itemsMin} items are needed here`);
      const items = node.items
        .slice(0, limits.itemsMax)
        .map((child) => item.read(child as Node, toPlace(child as Node, here), context));
      return items.includes(undefined) ? undefined : (items as T[]);
    },
  };
}

/** A mapping whose keys are names chosen by the author; keeps their order. With `declares`, they are names of that kind. */
export function named<T>(
  item: Shape<T>,
  limits: { pattern: RegExp; patternHint: string; itemsMax: number; declares?: string },
): Shape<ReadonlyMap<string, T>> {
  return {
    read(node, place, context) {
      const here = toPlace(node, place);
      if (!isMap(node)) return context.report(here, 'a mapping of names to settings is needed here') as undefined;
      if (node.items.length > limits.itemsMax) context.report(here, `at most ${limits.itemsMax} are allowed here`);
      const values = new Map<string, T>();
      let complete = true;
      for (const { key, value } of node.items.slice(0, limits.itemsMax)) {
        const name = isScalar(key) ? String(key.value) : String(key);
        const keyPlace = toPlace(key as Node, here);
        if (limits.declares !== undefined) context.declare(limits.declares, name);
        if (!limits.pattern.test(name)) {
          context.report(keyPlace, `${JSON.stringify(name)} is not a name: ${limits.patternHint}`);
          complete = false;
        }
        const read = item.read(value as Node | null, keyPlace, context);
        if (read === undefined) complete = false;
        else values.set(name, read);
      }
      return complete ? values : undefined;
    },
  };
}

/** The value together with its place, for checks after reading. */
export function located<T>(shape: Shape<T>): Shape<{ readonly value: T; readonly place: Place }> {
  return {
    read(node, place, context) {
      const value = shape.read(node, place, context);
      return value === undefined ? undefined : { value, place: toPlace(node, place) };
    },
  };
}

/** The same shape, but the key may be absent. */
export function optional<T, F>(shape: Shape<T>, fallback: F): Shape<T | F> {
  return { read: (node, place, context) => shape.read(node, place, context), optional: { fallback } };
}

/** A scalar that `parse` accepts; `parse` gives undefined for what it does not, and `needed` says what it wants. */
export function scalar<T>(
  needed: string,
  parse: (value: unknown, node: Scalar, context: YamlContext) => T | undefined,
): Shape<T> {
  return {
    read(node, place, context) {
      const here = toPlace(node, place);
      if (isAlias(node)) return context.report(here, 'aliases are not supported here') as undefined;
      const value = isScalar(node) ? parse(node.value, node, context) : undefined;
      if (value === undefined) context.report(here, `${needed} is needed here`);
      return value;
    },
  };
}
