/** Ids that stand for nobody. In effect for a namespace: the built-in rules, changed by its operator. */
export interface PlaceholderIds {
  has(id: string): boolean;
}

/** What an operator changed: ids that are placeholders too, and built-in ones that are real ids here. */
export interface PlaceholderChanges {
  readonly added: readonly string[];
  readonly allowed: readonly string[];
}

/** Longer ids are no placeholders: nothing that a language or tool writes for "no value" is longer. */
export const PLACEHOLDER_CHARS_MAX = 64;

/**
 * What languages print for "no value" (JavaScript, Python, Go, Objective-C, R, spreadsheets), names of nobody, and names of
 * the field itself. Not among them: `0`, since apps number their users from it, and `test`.
 */
const NAMES: ReadonlySet<string> = new Set([
  ...[
    'undefined',
    'null',
    'nil',
    'none',
    'nan',
    'n/a',
    '#n/a',
    '#ref!',
    '#name?',
    '#value!',
    'na',
    'nul',
    'void',
    'infinity',
    '-infinity',
    '-1',
    'true',
    'false',
  ],
  ...[
    'anonymous',
    'anon',
    'anonymous user',
    'anonymous_user',
    'anonymous-user',
    'anonymoususer',
    'guest',
    'guest user',
  ],
  ...['guest_user', 'guest-user', 'guestuser', 'unknown', 'unknown user', 'unknown_user', 'unknown-user', 'nobody'],
  ...['not set', 'not_set', 'notset', 'unset', 'not available', 'unavailable', 'unidentified', 'unauthenticated'],
  ...[
    'not_authenticated',
    'not_logged_in',
    'not logged in',
    'logged_out',
    'redacted',
    'empty',
    'blank',
    'missing',
    'default',
  ],
  ...[
    'userid',
    'user_id',
    'user id',
    'anonymousid',
    'anonymous_id',
    'distinctid',
    'distinct_id',
    'deviceid',
    'device_id',
  ],
]);

/** A blank, `_` and `-` are one: `not_set`, `not-set`, `not set`; so are several names at once: `undefined undefined`, `null|null`. */
const JOINTS = /[\s_\-|:;,@]+/;
const OUTER_JOINTS = /^[_|:;,@]+|[_|:;,@]+$/g;

const JOINED: ReadonlySet<string> = new Set(
  [...NAMES].filter((name) => !name.startsWith('-')).map((name) => name.split(JOINTS).join(' ')),
);

/** Shapes of the same: zeros, `[object Object]`, punctuation alone, the greatest UUID, MySQL's `\N`, an empty template, what
 * a format string has for its first value (`%s`, `%@`, `{0}`, `$1`). */
const SHAPES: readonly RegExp[] = [
  /^(?=(?:.*0){4})[0:.\-{}]+$/,
  /^\[object \w+\]$/,
  /^[!-/:-@[-`{-~]+$/,
  /^\{?f{8}-(?:f{4}-){3}f{12}\}?$/,
  /^\\n$/,
  /^(?:%(?:\d\$)?[sdifv@]|\{\d\}|\$\d)$/,
  /^(?:\{\{.*\}\}|\$\{.*\}|<%.*%>|%%.*%%|%[a-z_]+%|\*\|.*\|\*)$/,
];

/** The rules of a namespace. Case, white space and invisible characters around do not matter, nor quotes or brackets. */
export function createPlaceholderIds(changes: PlaceholderChanges = { added: [], allowed: [] }): PlaceholderIds {
  const added = new Set(changes.added.map(toCanonical));
  const allowed = new Set(changes.allowed.map(toCanonical));
  return {
    has(id) {
      if (id.length > PLACEHOLDER_CHARS_MAX) return false;
      const text = toCanonical(id);
      if (added.has(text)) return true;
      return isBuiltIn(text) && !allowed.has(text);
    },
  };
}

/** The built-in rules alone. */
export const BUILT_IN_PLACEHOLDERS: PlaceholderIds = createPlaceholderIds();

function isBuiltIn(text: string): boolean {
  if (NAMES.has(text) || isJoined(text)) return true;
  // Of the shapes only the UUID begins with a letter, and none with another digit than 0: most ids end here.
  if (!MAY_HAVE_SHAPE.test(text)) return false;
  const inner = unwrap(text);
  return NAMES.has(inner) || isJoined(inner) || SHAPES.some((shape) => shape.test(text));
}

/** Names of letters and signs alone: most ids have a digit, or nothing that joins. */
const MAY_BE_JOINED = /^[a-z#/!?_|:;,@]+(?:[\s_\-|:;,@][a-z#/!?\s_\-|:;,@]*)?$/;
const LETTERS = /^[a-z]+$/;

function isJoined(text: string): boolean {
  if (LETTERS.test(text) || !MAY_BE_JOINED.test(text)) return false;
  const words = text.replace(OUTER_JOINTS, '').split(JOINTS);
  return JOINED.has(words.join(' ')) || words.every((word) => JOINED.has(word));
}

const WRAPPERS: Readonly<Record<string, string>> = {
  '"': '"',
  "'": "'",
  '`': '`',
  '(': ')',
  '[': ']',
  '<': '>',
  '{': '}',
};

/** `(null)`, `<nil>`, `"undefined"`: what is inside, one pair deep. */
function unwrap(text: string): string {
  const close = WRAPPERS[text.charAt(0)];
  return close !== undefined && text.length > 2 && text.endsWith(close) ? text.slice(1, -1).trim() : text;
}

const ASCII = /^[ -~]*$/;
const MAY_HAVE_SHAPE = /^(?:[^a-z1-9]|f{8})/;

function toCanonical(id: string): string {
  if (ASCII.test(id)) return id.trim().toLowerCase();
  // Full-width letters are those that they look like.
  return id
    .normalize('NFKC')
    .replace(/\p{Cf}/gu, '')
    .trim()
    .toLowerCase();
}
