/**
 * Fields of accepted events whose value ingest could not use; a closed set, used as a metric's label. The event counts
 * without them: another id or the time of receipt stands in, or the profile has no time zone of its own.
 */
export type IgnoredField = 'user_id' | 'anonymous_id' | 'message_id' | 'sent_at' | 'time_zone' | 'other_id' | 'consent';
