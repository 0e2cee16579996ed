import { isMap, isScalar, isSeq, type Node, type Scalar } from 'yaml';
import { composeYaml } from './compose.js';
import { findNearest } from './nearest.js';
import { type Parsed, ProblemList } from './problem.js';

/** A location in the file, for problems found after reading. */
export interface Place {
  readonly offset: number;
}

/** Finds the likely correction of a problem; called only for problems that will be listed, since searching takes time. */
type Suggest = () => string | undefined;

/** Collects problems while a file is read. */
export interface YamlContext {
  report(place: Place, message: string, suggest?: Suggest): void;
  /** Declares a name of a kind (such as `stage`) that other parts of the file may refer to. */
  declare(kind: string, name: string): void;
  /** Refers to a name that must be declared in the file, before or after. */
  refer(kind: string, name: string, place: Place): void;
  /** Location in the file of an offset into a scalar's text. */
  placeWithin(node: Scalar, offset: number): Place;
}

/** Reads one node of the file: returns the value, or reports a problem and returns undefined. */
export interface Shape<T> {
  read(node: Node | null, place: Place, context: YamlContext): T | undefined;
  /** Set when the key may be absent: the value it then has. */
  readonly optional?: { readonly fallback: T };
}

export type ShapeValue<S> = S extends Shape<infer T> ? T : never;

/**
 * Reads a YAML file against a shape, then runs `check`. Returns the value or all problems at once, each with file,
 * line, column and, for a mistyped word, the nearest valid one.
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
  const problems = new ProblemList(text, options.fileName);
  const report: YamlContext['report'] = (place, message, suggest) => problems.add(place.offset, message, suggest);
  const root = composeYaml(text, problems);
  if (problems.count > 0) return problems.toParsed();
  const references = createReferences(options.names ?? {});
  const placeWithin = (node: Scalar, offset: number): Place => toPlaceWithin(text, node, offset);
  const value = shape.read(root, { offset: 0 }, { ...references, report, placeWithin });
  references.check(report);
  // Checks beyond names are meaningful only for a file that has the right form.
  if (value !== undefined && problems.count === 0) options.check?.(value, report);
  if (value === undefined || problems.count > 0) return problems.toParsed();
  return { ok: true, value };
}

/** Declared names and references to them; checked at the end, even in a file that has other problems. */
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
        // A kind without any declared name is not checked: the missing section is a problem of its own.
        const known = declared.get(kind);
        if (known !== undefined && !known.has(name)) {
          report(place, `unknown ${kind} "${name}"`, () => findNearest(name, known));
        }
      }
    },
  };
}

function toName(key: unknown): string {
  return isScalar(key) ? String(key.value) : String(key);
}

/** Location where a node begins. */
export function toPlace(node: Node | null | undefined, otherwise: Place): Place {
  return node?.range === undefined || node.range === null ? otherwise : { offset: node.range[0] };
}

/**
 * YAML folds and indents scalars, but it changes only white space (and escapes in quotes). So this counts the visible
 * characters of the scalar's text up to the offset, and then as many in the file.
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

/** An object with known keys; unknown keys are reported with the nearest known one. */
export function object<S extends Record<string, Shape<unknown>>>(
  shapes: S,
): Shape<{ readonly [K in keyof S]: ShapeValue<S[K]> } & { readonly place: Place }> {
  return {
    read(node, place, context) {
      if (!isMap(node))
        return context.report(toPlace(node, place), 'a mapping of keys to values is needed here') as undefined;
      const here = toPlace(node, place);
      const values = new Map<string, unknown>();
      // Collected once: asking the node for each known key at each unknown one would take quadratic time.
      const present = new Set(node.items.map(({ key }) => toName(key)));
      let complete = true;
      for (const { key, value } of node.items) {
        const name = toName(key);
        const keyPlace = toPlace(key as Node, here);
        const shape = Object.hasOwn(shapes, name) ? shapes[name] : undefined;
        if (shape === undefined) {
          const suggest = () =>
            findNearest(
              name,
              Object.keys(shapes).filter((known) => !present.has(known)),
            );
          context.report(keyPlace, `unknown key "${name}"`, suggest);
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
      // The shapes above have checked every key.
      return { ...Object.fromEntries(values), place: here } as unknown as { [K in keyof S]: ShapeValue<S[K]> } & {
        place: Place;
      };
    },
  };
}

/** A list. Every item is read, so that all problems are reported. */
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

/** A mapping with keys chosen by the author, in their order. With `declares`, the keys are names of that kind. */
export function named<T>(
  item: Shape<T> | ((name: string) => Shape<T>),
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
        const name = toName(key);
        const keyPlace = toPlace(key as Node, here);
        if (limits.declares !== undefined) context.declare(limits.declares, name);
        if (!limits.pattern.test(name)) {
          context.report(keyPlace, `${JSON.stringify(name)} is not a name: ${limits.patternHint}`);
          complete = false;
        }
        const shape = typeof item === 'function' ? item(name) : item;
        const read = shape.read(value as Node | null, keyPlace, context);
        if (read === undefined) complete = false;
        else values.set(name, read);
      }
      return complete ? values : undefined;
    },
  };
}

/** The value together with its location, for checks after reading. */
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

/** A scalar that `parse` accepts. `parse` returns undefined for an invalid one; `needed` describes a valid one. */
export function scalar<T>(
  needed: string,
  parse: (value: unknown, node: Scalar, context: YamlContext) => T | undefined,
): Shape<T> {
  return {
    read(node, place, context) {
      const here = toPlace(node, place);
      const value = isScalar(node) ? parse(node.value, node, context) : undefined;
      if (value === undefined) context.report(here, `${needed} is needed here`);
      return value;
    },
  };
}
