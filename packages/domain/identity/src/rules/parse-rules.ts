import {
  findNearest,
  flag,
  integer,
  list,
  located,
  named,
  object,
  oneOf,
  optional,
  type Parsed,
  parseYaml,
  requireValid,
  type ShapeValue,
  text,
  type YamlContext,
} from '@perennial/expressions';
import { MEMBERS_MAX } from '../node.js';
import { ID_STRENGTHS } from '../profile-ref.js';
import { formatIdPath, type IdPath, PATH_CHARS_MAX, PATH_ROOTS, parseIdPath } from './id-path.js';
import { IdentityRules, type IdKind, KEY_KIND_DEFAULTS, KEY_KINDS } from './identity-rules.js';
import { NORMALISERS, normaliseId } from './normalise-id.js';

/** Raised when an existing file would be read in another way. */
const FILE_VERSION = 1;
/** Besides users and devices. */
const KINDS_MAX = 12;
const PATHS_MAX = 8;
const GUARDED_MAX = 1_000;

const KIND = object({
  description: optional(text({ lengthMax: 500 }), undefined),
  strength: optional(located(integer({ min: 1, max: 255 })), undefined),
  read: optional(located(list(located(text({ lengthMax: PATH_CHARS_MAX })), { itemsMax: PATHS_MAX })), undefined),
  normalise: optional(located(oneOf(NORMALISERS)), undefined),
  callingCode: optional(
    located(text({ lengthMax: 4, pattern: /^[1-9]\d{0,3}$/, patternHint: 'a calling code such as "86", in quotes,' })),
    undefined,
  ),
  hash: optional(located(oneOf(['sha256'])), undefined),
  unique: optional(flag(), undefined),
  maxProfiles: optional(located(integer({ min: 1, max: MEMBERS_MAX })), undefined),
  guarded: optional(list(located(text({ lengthMax: 256 })), { itemsMax: GUARDED_MAX }), []),
});

const FILE = object({
  version: integer({ min: FILE_VERSION, max: FILE_VERSION }),
  name: optional(text({ lengthMax: 100 }), undefined),
  kinds: located(
    named(located(KIND), {
      pattern: /^[a-z][a-z0-9_]{0,31}$/,
      patternHint: 'a small letter, then small letters, digits and _, 32 at most',
      itemsMax: KINDS_MAX + Object.keys(KEY_KIND_DEFAULTS).length,
    }),
  ),
});

type Entry = ShapeValue<typeof KIND>;
type Report = YamlContext['report'];
type Place = Parameters<Report>[0];

/** Reads rules about ids, as YAML or JSON; all problems at once, each with its line. */
export function parseIdentityRules(content: string, options: { readonly fileName: string }): Parsed<IdentityRules> {
  let kinds: readonly IdKind[] = [];
  const parsed = parseYaml(content, FILE, {
    ...options,
    check(file, report) {
      kinds = toKinds(file, report);
    },
  });
  return parsed.ok ? { ok: true, value: new IdentityRules(kinds) } : parsed;
}

/** The rules of a file; throws `config_invalid` with every problem, each with its line. */
export function requireIdentityRules(content: string, options: { readonly fileName: string }): IdentityRules {
  return requireValid(parseIdentityRules(content, options));
}

function toKinds({ kinds }: ShapeValue<typeof FILE>, report: Report): readonly IdKind[] {
  const known = new Map<string, IdKind>(Object.entries(KEY_KIND_DEFAULTS));
  for (const [name, { value, place }] of kinds.value) {
    const byKey = Object.hasOwn(KEY_KIND_DEFAULTS, name);
    const at = { name, place, report };
    known.set(name, byKey ? toKeyKind(KEY_KIND_DEFAULTS[name as 'user'], value, at) : toKind(value, at));
  }
  const byStrength = new Map<number, string>();
  for (const { name, strength } of known.values()) {
    const other = byStrength.get(strength);
    const at = kinds.value.get(name) ?? kinds;
    if (other !== undefined)
      report(at.place, `${name} and ${other} have the same strength ${strength}: which one is stronger?`);
    byStrength.set(strength, name);
  }
  checkPaths(kinds.value, report);
  return [...known.values()];
}

interface At {
  readonly name: string;
  readonly place: Place;
  readonly report: Report;
}

/** Users and devices are what events are keyed by: where they are read and how is not to be chosen. */
function toKeyKind(defaults: IdKind, entry: Entry, { name, report }: At): IdKind {
  const { strength, read, normalise, callingCode, hash, unique, maxProfiles } = entry;
  if (strength !== undefined && strength.value !== defaults.strength)
    report(strength.place, `the strength of ${name} is ${defaults.strength}, for good`);
  const own = formatIdPath(defaults.read[0] as IdPath);
  if (read !== undefined && (read.value.length !== 1 || read.value[0]?.value !== own))
    report(read.place, `${name} is read from ${own}, which events are keyed by`);
  for (const given of [normalise, callingCode, hash])
    if (given !== undefined && given.value !== 'none') report(given.place, `ids of ${name} are taken as they come`);
  if (maxProfiles !== undefined && name === KEY_KINDS.user)
    report(maxProfiles.place, `a user takes in ${MEMBERS_MAX} ids, and nobody names it but by an alias`);
  for (const { place } of entry.guarded)
    report(place, `placeholders of ${name} are set with \`./perennial placeholders add\``);
  return { ...defaults, unique: unique ?? defaults.unique, maxProfiles: maxProfiles?.value };
}

function toKind(entry: Entry, at: At): IdKind {
  const { name, place, report } = at;
  const { normalise, callingCode, hash, unique = false } = entry;
  const { strength, read } = entry;
  if (strength === undefined) report(place, `${name} needs a strength, between those of anonymous and user`);
  else if (strength.value <= ID_STRENGTHS.anonymous || strength.value >= ID_STRENGTHS.user)
    report(
      strength.place,
      `the strength is between ${ID_STRENGTHS.anonymous} (anonymous) and ${ID_STRENGTHS.user} (user)`,
    );
  if (read === undefined) report(place, `${name} needs a list "read": where events name it`);
  if (callingCode !== undefined && normalise?.value !== 'phone')
    report(callingCode.place, 'a calling code is of numbers with `normalise: phone`');
  const form = { normalise: normalise?.value ?? 'none', callingCode: callingCode?.value, hash: hash?.value } as const;
  return {
    name,
    strength: strength?.value ?? 0,
    unique,
    maxProfiles: entry.maxProfiles?.value ?? MEMBERS_MAX,
    read: (read?.value ?? []).flatMap(({ value }) => parseIdPath(value) ?? []),
    ...form,
    guarded: new Set(
      entry.guarded.flatMap(({ value, place: where }) => {
        const id = normaliseId(value, form);
        if (id === undefined) report(where, `${JSON.stringify(value)} is no ${name}, so it needs no guard`);
        return id ?? [];
      }),
    ),
  };
}

/** Each path names one kind: a value of two kinds would join what it names with itself. */
function checkPaths(kinds: ShapeValue<typeof FILE>['kinds']['value'], report: Report): void {
  const readBy = new Map<string, string>();
  for (const [name, { value }] of kinds) {
    if (Object.hasOwn(KEY_KIND_DEFAULTS, name)) continue;
    for (const { value: path, place } of value.read?.value ?? []) {
      const other = readBy.get(path);
      if (other !== undefined) report(place, `${path} is read as ${other} already`);
      readBy.set(path, name);
      checkPath(path, place, report);
    }
  }
}

function checkPath(path: string, place: Place, report: Report): void {
  const root = path.split('.')[0] ?? '';
  const roots: readonly string[] = PATH_ROOTS;
  if (!roots.includes(root)) {
    const suggest = () => findNearest(root, roots);
    report(place, `a path begins with ${roots.join(', ')}, and "${path}" does not`, suggest);
  } else if (parseIdPath(path) === undefined)
    report(place, `"${path}" is no path such as traits.email or context.externalIds[email]`);
}
