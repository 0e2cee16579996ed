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

/** Shapes of the same: zeros, `[object Object]`, punctuation alone, the greatest UUID, a template that nobody filled in. */
const SHAPES: readonly RegExp[] = [
  /^(?=(?:.*0){4})[0:.\-{}]+$/,
  /^\[object \w+\]$/,
  /^[!-/:-@[-`{-~]+$/,
  /^\{?f{8}-(?:f{4}-){3}f{12}\}?$/,
  /^(?:\{\{.*\}\}|\$\{.*\}|<%.*%>|%%.*%%)$/,
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
  if (NAMES.has(text)) return true;
  // Of the shapes only the UUID begins with a letter, and none with another digit than 0: most ids end here.
  if (!MAY_HAVE_SHAPE.test(text)) return false;
  return NAMES.has(unwrap(text)) || SHAPES.some((shape) => shape.test(text));
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
  return id
    .replace(/\p{Cf}/gu, '')
    .trim()
    .toLowerCase();
}
