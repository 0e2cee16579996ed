/** Why an event is rejected: a closed set, used as a metric's label and in `event.rejected`. */
export const REJECT_REASONS = [
  'not_json',
  'not_an_object',
  'event_too_large',
  'too_deep',
  'invalid_type',
  'missing_id',
  'invalid_id',
  'invalid_message_id',
  'invalid_name',
  'invalid_timestamp',
  'timestamp_too_old',
  'timestamp_too_far_in_future',
  'invalid_properties',
  'invalid_revenue',
  'revenue_out_of_range',
] as const;

export type RejectReason = (typeof REJECT_REASONS)[number];

/** The steps that an event passes in ingest, in order: `decode` parses bytes to JSON, the others are in `normalise`. */
export type StepName =
  | 'decode'
  | 'inspect'
  | 'type'
  | 'ids'
  | 'message_id'
  | 'name'
  | 'clock'
  | 'properties'
  | 'encode';

/** A rejection as a value: the reason for machines, the message (what was wrong, and at which field) for people. */
export class Rejection {
  readonly kind = 'rejected';
  readonly reason: RejectReason;
  readonly message: string;
  /** The step that rejected the event. */
  readonly step: StepName;

  constructor(reason: RejectReason, message: string, step: StepName = 'decode') {
    this.reason = reason;
    this.message = message;
    this.step = step;
  }

  /** The rejection with the step that found it. */
  at(step: StepName): Rejection {
    return new Rejection(this.reason, this.message, step);
  }
}

const EXCERPT_CHARS_MAX = 40;

/** A value for use in a message: its JSON, truncated, so that responses and logs contain no ids of 10 KB. */
export function toExcerpt(value: unknown): string {
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object';
  if (typeof value === 'string' && value.length > EXCERPT_CHARS_MAX) {
    return `${JSON.stringify(value.slice(0, EXCERPT_CHARS_MAX))}... (${value.length} characters)`;
  }
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}
