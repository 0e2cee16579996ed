import { AMOUNT_MAX } from '@perennial/commerce';
import { OUTCOME_KINDS, type Outcome, type ReportedContact } from '@perennial/contracts';
import { isAbsent, type JsonObject } from '../parse-properties.js';
import { type Rejection, toExcerpt } from '../rejection.js';
import { FieldReader } from './read-fields.js';

const ACTION_ID_CHARS_MAX = 256;

/** What came of an action, as its system reports it. */
export function parseOutcome(raw: JsonObject): Outcome | Rejection {
  const fields = new FieldReader(raw, { reason: 'invalid_outcome' });
  const outcome = {
    actionId: fields.required('actionId', ACTION_ID_CHARS_MAX),
    kind: fields.oneOf('outcome', OUTCOME_KINDS),
    channel: fields.optional('channel'),
    topic: fields.optional('topic'),
    value: readValue(raw, fields),
  };
  return fields.rejection ?? outcome;
}

function readValue({ value }: JsonObject, fields: FieldReader): number | undefined {
  if (isAbsent(value)) return undefined;
  if (typeof value === 'number' && Math.abs(value) <= AMOUNT_MAX) return value;
  fields.fail('value', `must be a number up to ${AMOUNT_MAX}, not ${toExcerpt(value)}`);
  return undefined;
}

/** A contact that another system made; its id is the message's. */
export function parseContact(raw: JsonObject): Omit<ReportedContact, 'id'> | Rejection {
  const fields = new FieldReader(raw, { reason: 'invalid_contact' });
  const contact = {
    channel: fields.required('channel'),
    strategy: fields.optional('strategy'),
    campaign: fields.optional('campaign'),
  };
  return fields.rejection ?? contact;
}
