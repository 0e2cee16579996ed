import { describeTimeProblem, parseTime, type TimeOptions } from '@perennial/time-text';

/** Why a text is not a valid time, as the end of a sentence. */
export type TimestampProblem = string;

/**
 * A time of a history file to milliseconds since the epoch, by the parser that the front door uses. A local time without a
 * zone is invalid unless `options` declare one: guessing would shift every window by hours, unnoticed.
 */
export function parseTimestamp(text: string, options: TimeOptions = {}): number | TimestampProblem {
  const parsed = parseTime(text, options);
  return parsed.ok ? parsed.ms : describeTimeProblem(parsed.reason);
}
