import type { IgnoredField } from './ignored-field.js';
import type { JsonObject } from './parse-properties.js';
import { parseId } from './parse-text.js';
import type { PlaceholderIds } from './placeholder-ids.js';
import { Rejection, toExcerpt } from './rejection.js';

/** Who did it: at least one of both. */
export interface EventIds {
  readonly userId: string | undefined;
  readonly anonymousId: string | undefined;
  /** Who an alias was before. */
  readonly previousId?: string | undefined;
  readonly ignored: readonly IgnoredField[];
}

/**
 * Field of an `identify` in PostHog's form: the id under which the visitor was known before. Events of then may have come
 * as those of a device or, from servers and older SDKs, as those of a user.
 */
export const ANONYMOUS_BEFORE = '$anon_distinct_id';

type IdField = 'userId' | 'anonymousId' | 'previousId' | typeof ANONYMOUS_BEFORE;

/**
 * The ids of an event. A placeholder such as "undefined" is no id. Beside a `userId` an `anonymousId` that cannot be
 * used is ignored.
 */
export function parseIds(raw: JsonObject, placeholders: PlaceholderIds): EventIds | Rejection {
  const user = readId(raw, 'userId', placeholders);
  if (user instanceof Rejection) return user;
  const anonymous = readId(raw, 'anonymousId', placeholders);
  if (user.id !== undefined) {
    const isUsable = !(anonymous instanceof Rejection) && !anonymous.isPlaceholder;
    return {
      userId: user.id,
      anonymousId: isUsable ? anonymous.id : undefined,
      ignored: isUsable ? [] : ['anonymous_id'],
    };
  }
  if (anonymous instanceof Rejection) return anonymous;
  if (anonymous.id === undefined) return toMissing(raw, { user, anonymous });
  return { userId: undefined, anonymousId: anonymous.id, ignored: user.isPlaceholder ? ['user_id'] : [] };
}

/** The ids of an identify: those of any event, and who it was before where PostHog says so. */
export function parseIdentifyIds(raw: JsonObject, placeholders: PlaceholderIds): EventIds | Rejection {
  const ids = parseIds(raw, placeholders);
  if (ids instanceof Rejection || ids.userId === undefined || raw[ANONYMOUS_BEFORE] === undefined) return ids;
  const before = readId(raw, ANONYMOUS_BEFORE, placeholders);
  return before instanceof Rejection || before.id === undefined ? ids : { ...ids, previousId: before.id };
}

/** The ids of an alias: a user and who it was before. */
export function parseAliasIds(raw: JsonObject, placeholders: PlaceholderIds): EventIds | Rejection {
  const userId = requireId(raw, 'userId', placeholders);
  if (userId instanceof Rejection) return userId;
  const previousId = requireId(raw, 'previousId', placeholders);
  if (previousId instanceof Rejection) return previousId;
  const ids = parseIds(raw, placeholders);
  return ids instanceof Rejection ? ids : { ...ids, userId, previousId };
}

interface ReadId {
  readonly id: string | undefined;
  readonly isPlaceholder: boolean;
}

const ABSENT: ReadId = { id: undefined, isPlaceholder: false };
const PLACEHOLDER: ReadId = { id: undefined, isPlaceholder: true };

function readId(raw: JsonObject, field: IdField, placeholders: PlaceholderIds): ReadId | Rejection {
  const value = raw[field];
  // `user && user.id` gives false where nobody is logged in; a template without a value gives blanks.
  if (typeof value === 'boolean' || (typeof value === 'string' && value !== '' && value.trim() === '')) {
    return PLACEHOLDER;
  }
  const id = parseId(value, field);
  if (id instanceof Rejection) return id;
  if (id === undefined) return ABSENT;
  return placeholders.has(id) ? PLACEHOLDER : { id, isPlaceholder: false };
}

function requireId(raw: JsonObject, field: IdField, placeholders: PlaceholderIds): string | Rejection {
  const read = readId(raw, field, placeholders);
  if (read instanceof Rejection) return read;
  if (read.isPlaceholder) return toPlaceholder(raw, field, 'alias needs a real one');
  return read.id ?? new Rejection('missing_id', `alias needs a ${field}`).on(field);
}

function toMissing(raw: JsonObject, { user, anonymous }: { user: ReadId; anonymous: ReadId }): Rejection {
  if (user.isPlaceholder) {
    const other = anonymous.isPlaceholder
      ? `anonymousId is one too: ${toExcerpt(raw.anonymousId)}`
      : 'there is no anonymousId';
    return toPlaceholder(raw, 'userId', other);
  }
  if (anonymous.isPlaceholder) return toPlaceholder(raw, 'anonymousId', 'there is no userId');
  return new Rejection('missing_id', 'userId or anonymousId is needed').on('userId');
}

function toPlaceholder(raw: JsonObject, field: IdField, rest: string): Rejection {
  return new Rejection('placeholder_id', `${field} ${toExcerpt(raw[field])} is a placeholder, no id; ${rest}`).on(
    field,
    raw[field],
  );
}
