import { type Row, toSqlText } from './database.js';
import { type Period, type TimeRange, toPeriodStart, toRangeCondition } from './events-table.js';

export interface RetentionOptions extends TimeRange {
  /** Undefined for the first event of all, whatever it is: then cohorts are of acquisition. */
  readonly start: string | undefined;
  /** Undefined for any event. */
  readonly back: string | undefined;
  readonly every: Period;
  readonly periods: number;
}

export interface Cohort {
  readonly startMs: number;
  readonly users: number;
  /** By period from the cohort's own (0) on: who came back in it; null for periods after the archive's last event. */
  readonly returned: ReadonlyArray<number | null>;
}

/**
 * Users by the calendar period (UTC, weeks from Monday) of their first `start` event of all (of their first event, where that may be any), which must lie in the
 * range, and how many did `back` after it in that period (0), the next (1) ...: `cohort, k, users, over`. `k` is null for the size of the
 * cohort. `over` is the number of the last period that has begun by the archive's last event.
 */
export function toRetentionSql({ start, back, every, periods, ...range }: RetentionOptions): string {
  const diff = (from: string, to: string) => `date_diff('${every}', epoch_ms(${from}), epoch_ms(${to}))`;
  const isNamed = (column: string, label: string | undefined) =>
    label === undefined ? 'true' : `${column} = ${toSqlText(label)}`;
  return `
WITH firsts AS (
  SELECT profile, min(pos) AS pos, min(at_ms) AS at_ms FROM events WHERE ${isNamed('label', start)} GROUP BY profile
),
members AS (SELECT profile, pos, ${toPeriodStart('at_ms', every)} AS cohort FROM firsts WHERE ${toRangeCondition('at_ms', range)}),
visits AS (
  SELECT DISTINCT m.cohort, m.profile, ${diff('m.cohort', toPeriodStart('e.at_ms', every))} AS k
  FROM members m JOIN events e ON e.profile = m.profile AND e.pos > m.pos WHERE ${isNamed('e.label', back)}
),
counts AS (
  SELECT cohort, NULL AS k, count(*) AS users FROM members GROUP BY cohort
  UNION ALL
  SELECT cohort, k, count(*) FROM visits WHERE k <= ${periods} GROUP BY cohort, k
),
ends AS (SELECT ${toPeriodStart('max(at_ms)', every)} AS last FROM events)
SELECT cohort, k, users, ${diff('cohort', 'last')} AS over FROM counts, ends ORDER BY cohort, k NULLS FIRST`;
}

export function toCohorts(rows: readonly Row[], periods: number): Cohort[] {
  const cohorts = new Map<number, { users: number; over: number; returned: Map<number, number> }>();
  for (const { cohort, k, users, over } of rows) {
    const startMs = Number(cohort);
    if (k === null) cohorts.set(startMs, { users: Number(users), over: Number(over), returned: new Map() });
    else cohorts.get(startMs)?.returned.set(Number(k), Number(users));
  }
  return [...cohorts].map(([startMs, { users, over, returned }]) => ({
    startMs,
    users,
    returned: Array.from({ length: periods + 1 }, (_, k) => (k > over ? null : (returned.get(k) ?? 0))),
  }));
}

/** All cohorts together: of each period only those that it has begun for, so that young cohorts do not count as lost. */
export interface AllCohorts {
  readonly users: number;
  /** By period: the share of the users of those cohorts who came back in it; null where there is none. */
  readonly returned: ReadonlyArray<number | null>;
}

export function sumCohorts(cohorts: readonly Cohort[], periods: number): AllCohorts {
  const returned = Array.from({ length: periods + 1 }, (_, k) => {
    const begun = cohorts.filter((cohort) => cohort.returned[k] != null);
    const users = begun.reduce((sum, cohort) => sum + cohort.users, 0);
    return users === 0 ? null : begun.reduce((sum, cohort) => sum + (cohort.returned[k] ?? 0), 0) / users;
  });
  return { users: cohorts.reduce((sum, { users }) => sum + users, 0), returned };
}
