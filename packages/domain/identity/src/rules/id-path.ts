/** Where an event names an id: a field by its path, or the entries of one type in `context.externalIds`. */
export type IdPath =
  | { readonly kind: 'field'; readonly path: readonly string[] }
  | { readonly kind: 'external'; readonly type: string };

/** What a path may begin with. */
export const PATH_ROOTS = ['traits', 'context', 'properties'] as const;

/** The part of an event that a path leads into. */
export type PathRoot = (typeof PATH_ROOTS)[number];

/** Of an event. */
export type JsonObject = Readonly<Record<string, unknown>>;

const FIELD = /^[A-Za-z_$][\w$-]{0,63}(?:\.[A-Za-z_$][\w$-]{0,63}){1,5}$/;
const EXTERNAL = /^context\.externalIds\[([\w.:$-]{1,64})\]$/;

/** Longest path, in characters. */
export const PATH_CHARS_MAX = 400;

/** The path of a text such as `traits.email` or `context.externalIds[phone]`; undefined for none. */
export function parseIdPath(text: string): IdPath | undefined {
  const type = EXTERNAL.exec(text)?.[1];
  if (type !== undefined) return { kind: 'external', type };
  return FIELD.test(text) ? { kind: 'field', path: text.split('.') } : undefined;
}

/** The text that a path was parsed from. */
export function formatIdPath(path: IdPath): string {
  return path.kind === 'external' ? `context.externalIds[${path.type}]` : path.path.join('.');
}

/** An entry of Segment's `externalIds`; one of another collection, such as groups, is of no user. */
const USERS = 'users';

/** What an event says at a path, the first ones first; nothing for absent values. Unknown values are left to the caller. */
export function readIdPath(event: Readonly<Record<string, unknown>>, path: IdPath): readonly unknown[] {
  if (path.kind === 'external') return readExternalIds(event, path.type);
  let value: unknown = event;
  for (const name of path.path) {
    if (!isObject(value) || !Object.hasOwn(value, name)) return [];
    value = value[name];
  }
  return value === undefined || value === null ? [] : [value];
}

/** Entries that are read: Segment's libraries send a handful. */
const ENTRIES_MAX = 32;

function readExternalIds({ context }: Readonly<Record<string, unknown>>, type: string): readonly unknown[] {
  const entries = isObject(context) ? context.externalIds : undefined;
  if (!Array.isArray(entries)) return [];
  const ofType = entries
    .slice(0, ENTRIES_MAX)
    .filter((entry) => isObject(entry) && entry.type === type && (entry.collection ?? USERS) === USERS);
  return ofType.flatMap(({ id }) => (id === undefined || id === null ? [] : [id as unknown]));
}

/** An object without the field at a path below it, and how many were taken out: none where it has no value there. */
export function withoutField(object: JsonObject, path: readonly string[]): { kept: JsonObject; count: 0 | 1 } {
  const [name, ...rest] = path;
  const none = { kept: object, count: 0 } as const;
  if (name === undefined || !Object.hasOwn(object, name)) return none;
  const value = object[name];
  if (value === undefined || value === null) return none;
  // Not by assignment: a key may be `__proto__`.
  const others = Object.entries(object);
  if (rest.length === 0) return { kept: Object.fromEntries(others.filter(([key]) => key !== name)), count: 1 };
  if (!isObject(value)) return none;
  const { kept, count } = withoutField(value, rest);
  if (count === 0) return none;
  return { kept: Object.fromEntries(others.map(([key, own]) => [key, key === name ? kept : own])), count };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
