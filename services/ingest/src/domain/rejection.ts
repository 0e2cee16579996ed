import { escapeText } from '@perennial/kernel';
import type { PlanViolation } from '@perennial/tracking-plan';
import { cutCredentials } from './credential-text.js';

/** Why an event is rejected: a closed set, used as a metric's label and in `event.rejected`. */
export const REJECT_REASONS = [
  'too_many_headers',
  'headers_too_large',
  'batch_too_large',
  'unreadable',
  'not_json',
  'not_an_object',
  'event_too_large',
  'too_deep',
  'invalid_type',
  'missing_id',
  'invalid_id',
  'placeholder_id',
  'invalid_message_id',
  'invalid_name',
  'invalid_timestamp',
  'timestamp_too_old',
  'timestamp_too_far_in_future',
  'invalid_properties',
  'invalid_revenue',
  'revenue_out_of_range',
  'plan_violation',
  'invalid_outcome',
  'invalid_contact',
  'invalid_consent',
  'report_not_allowed',
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
  | 'plan'
  | 'traits'
  | 'encode';

/** A rejection as a value: the reason for machines, the message (what was wrong, at which field, with which value) for people. */
export class Rejection {
  readonly kind = 'rejected';
  readonly reason: RejectReason;
  readonly message: string;
  /** The step that rejected the event. */
  readonly step: StepName;
  /** The field that is wrong, by its name in the event, and an excerpt of its value if it has one. */
  readonly field: string | undefined;
  readonly value: string | undefined;
  /** What the source's plan does not allow; empty for every other reason. */
  readonly violations: readonly PlanViolation[];

  constructor(
    reason: RejectReason,
    message: string,
    step: StepName = 'decode',
    wrong: Partial<Pick<Rejection, 'field' | 'value' | 'violations'>> = {},
  ) {
    this.reason = reason;
    this.message = message;
    this.step = step;
    this.field = wrong.field;
    this.value = wrong.value;
    this.violations = wrong.violations ?? [];
  }

  /** The rejection with the step that found it. */
  at(step: StepName): Rejection {
    return new Rejection(this.reason, this.message, step, this);
  }

  /** The rejection with the field that is wrong. */
  on(field: string, value?: unknown): Rejection {
    const excerpt = value === undefined ? undefined : toExcerpt(value);
    return new Rejection(this.reason, this.message, this.step, { field, value: excerpt });
  }
}

/** Longest excerpt of a value, in characters before escaping. */
const EXCERPT_CHARS_MAX = 40;

/** A value for use in a message: its JSON, cut and escaped, so that answers and logs contain no ids of 10 KB. */
export function toExcerpt(value: unknown): string {
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object';
  if (typeof value !== 'string') return String(value);
  // Before it is cut: most of a key is as good as a key.
  const text = cutCredentials(value);
  if (text.length <= EXCERPT_CHARS_MAX) return toVisible(text);
  return `${toVisible(text.slice(0, EXCERPT_CHARS_MAX))}... (${value.length} characters)`;
}

function toVisible(text: string): string {
  return escapeText(JSON.stringify(text));
}
