import { NOTICE_TYPES } from '@perennial/contracts';
import { toSqlText } from './database.js';

/** Types that others report of a profile, as a list of SQL: nothing that the person did. */
export const REPORTED = `(${NOTICE_TYPES.map((type) => toSqlText(type)).join(', ')})`;

/** Bits for an offset in a position over all partitions. */
const OFFSET_BITS = 44;

/** Columns of the archive that a question needs of one kind of event. */
export interface ExtraColumns {
  readonly event: string;
  readonly columns: ReadonlyArray<'properties' | 'amount' | 'currency'>;
  /** `profile_key`, `type` and `name` too, of every event; reports of others are events then, else they are left out. */
  readonly isKeyed?: boolean;
}

/**
 * The table `events` of what profiles did: the archived events, each message of a profile once, without those that somebody took
 * back, and without reports of others. It reads the tables `joined` and `taken_back`.
 *
 * - `profile`: a number for the pseudonym of the profile that its own has joined (table `joined`), else for its own; a number
 *   is shorter to sort and join by;
 * - `at_ms`: event time, ms since 1970 UTC;
 * - `label`: the name of a track event; of any other, and of one without a name, its type (`identify`, `page`);
 * - `pos`: 1, 2, 3 ... by event time within the profile; events of the same time in the order in which they
 *   were appended (that of the log, within a partition);
 * - the columns of `extra`, of the track events of that name; of others null.
 *
 * A repeated message counts where it was appended first, as in the feature-store; but there it is known for a bounded
 * time only, here for good.
 */
export function toEventsTable({
  paths,
  extra,
}: {
  readonly paths: readonly string[];
  readonly extra?: ExtraColumns | undefined;
}): string {
  const list = paths.map((path) => toSqlText(path)).join(', ');
  const label = `CASE WHEN type = 'track' AND name <> '' THEN name ELSE type END`;
  const columns = extra?.columns ?? [];
  const isExtra = `type = 'track' AND name = ${toSqlText(extra?.event ?? '')}`;
  const more = columns.map((column) => `, CASE WHEN ${isExtra} THEN ${column} END AS ${column}`).join('');
  const keyed = extra?.isKeyed ? ', profile_key, type, name' : '';
  const done = extra?.isKeyed ? '' : ` AND type NOT IN ${REPORTED}`;
  const kept = keyed + columns.map((column) => `, ${column}`).join('');
  return `
CREATE TABLE events AS
WITH read AS (
  SELECT coalesce(root_key, profile_key) AS profile_key, message_id, epoch_ms(event_time) AS at_ms, ${label} AS label,
         epoch_ms(append_time) AS appended_ms, (CAST(partition AS BIGINT) << ${OFFSET_BITS}) + "offset" AS log_pos${extra?.isKeyed ? ', type, name' : ''}${more}
  FROM (SELECT * FROM read_parquet([${list}]) WHERE kind = 'event'${done}) ANTI JOIN taken_back USING (profile_key, message_id)
  LEFT JOIN joined USING (profile_key)
  WHERE profile_key IS NOT NULL AND message_id IS NOT NULL AND event_time IS NOT NULL
), profiles AS (
  SELECT profile_key, row_number() OVER () AS profile FROM (SELECT DISTINCT profile_key FROM read)
), once AS (
  SELECT profile, at_ms, label, appended_ms, log_pos${kept} FROM read JOIN profiles USING (profile_key)
  QUALIFY row_number() OVER (PARTITION BY profile, message_id ORDER BY appended_ms, log_pos) = 1
)
SELECT profile, at_ms, label, row_number() OVER (PARTITION BY profile ORDER BY at_ms, appended_ms, log_pos) AS pos${kept}
FROM once`;
}

/** A condition that a column of ms lies in a range; either end may be open. */
export interface TimeRange {
  readonly fromMs?: number | undefined;
  /** Exclusive. */
  readonly toMs?: number | undefined;
}

export function toRangeCondition(column: string, { fromMs, toMs }: TimeRange): string {
  const parts = [
    ...(fromMs === undefined ? [] : [`${column} >= ${fromMs}`]),
    ...(toMs === undefined ? [] : [`${column} < ${toMs}`]),
  ];
  return parts.length === 0 ? 'true' : parts.join(' AND ');
}

export type Period = 'week' | 'month';

/** Start of the period around a column of ms, in ms: weeks begin on Monday, all in UTC. */
export function toPeriodStart(column: string, period: Period): string {
  return `epoch_ms(date_trunc('${period}', epoch_ms(${column})))`;
}
