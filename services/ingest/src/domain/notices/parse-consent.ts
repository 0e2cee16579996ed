import type { Consent } from '@perennial/contracts';
import { isAbsent, isJsonObject, type JsonObject } from '../parse-properties.js';
import { Rejection, toExcerpt } from '../rejection.js';
import { FieldReader, WORD_CHARS_MAX } from './read-fields.js';

/** Of one report, each. */
const CONSENT_ENTRIES_MAX = 16;

/** `requested`: a double opt-in that the person has not confirmed yet. */
const PERMISSION_STATES = ['granted', 'requested', 'withdrawn'] as const;

/**
 * What somebody allows: `purposes` (what its data may be used for, by name) and `permissions` (by which channel it may be
 * contacted, about what), with the `source` and the `textVersion`.
 */
export function parseConsent(raw: JsonObject): Consent | Rejection {
  const fields = new FieldReader(raw, { reason: 'invalid_consent' });
  const source = fields.optional('source');
  const textVersion = fields.optional('textVersion');
  if (isAbsent(raw.purposes) && isAbsent(raw.permissions)) fields.fail('purposes', 'or permissions are needed');
  if (fields.rejection !== undefined) return fields.rejection;
  const purposes = parsePurposes(raw.purposes, 'purposes');
  if (purposes instanceof Rejection) return purposes;
  const permissions = parsePermissions(raw.permissions);
  if (permissions instanceof Rejection) return permissions;
  return { purposes, permissions, source, textVersion };
}

/** Names of purposes in small letters, each with whether it is granted. */
export function parsePurposes(value: unknown, field: string): Consent['purposes'] | Rejection {
  if (isAbsent(value)) return [];
  if (!isJsonObject(value)) {
    const message = `${field} must be an object of purposes with true or false, not ${toExcerpt(value)}`;
    return new Rejection('invalid_consent', message).on(field, value);
  }
  const entries = Object.entries(value);
  if (entries.length > CONSENT_ENTRIES_MAX) return toTooMany(field, entries.length);
  const purposes: Consent['purposes'] = [];
  for (const [name, granted] of entries) {
    const place = `${field}.${name.slice(0, WORD_CHARS_MAX)}`;
    const purpose = name.trim().toLowerCase();
    if (purpose === '' || purpose.length > WORD_CHARS_MAX || /\p{Cc}|\p{Cs}/u.test(purpose)) {
      return new Rejection('invalid_consent', `${field} has a name that is none: ${toExcerpt(name)}`).on(field, name);
    }
    if (typeof granted !== 'boolean') {
      const message = `${place} must be true or false, not ${toExcerpt(granted)}`;
      return new Rejection('invalid_consent', message).on(place, granted);
    }
    purposes.push({ purpose, granted });
  }
  return purposes;
}

function parsePermissions(value: unknown): Consent['permissions'] | Rejection {
  if (isAbsent(value)) return [];
  if (!Array.isArray(value)) {
    const message = `permissions must be a list of channel, topic and state, not ${toExcerpt(value)}`;
    return new Rejection('invalid_consent', message).on('permissions', value);
  }
  if (value.length > CONSENT_ENTRIES_MAX) return toTooMany('permissions', value.length);
  const permissions: Consent['permissions'] = [];
  for (const [index, entry] of value.entries()) {
    const place = `permissions[${index}]`;
    if (!isJsonObject(entry)) {
      const message = `${place} must be an object, not ${toExcerpt(entry)}`;
      return new Rejection('invalid_consent', message).on(place, entry);
    }
    const fields = new FieldReader(entry, { reason: 'invalid_consent', place: `${place}.` });
    const permission = {
      channel: fields.required('channel'),
      topic: fields.optional('topic'),
      state: fields.oneOf('state', PERMISSION_STATES),
    };
    if (fields.rejection !== undefined) return fields.rejection;
    permissions.push(permission);
  }
  return permissions;
}

function toTooMany(field: string, count: number): Rejection {
  return new Rejection('invalid_consent', `${field} has ${count} entries, ${CONSENT_ENTRIES_MAX} at most`).on(field);
}
