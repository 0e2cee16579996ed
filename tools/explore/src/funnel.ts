import { type Row, toSqlText } from './database.js';
import { type Period, type TimeRange, toPeriodStart, toRangeCondition } from './events-table.js';

export interface FunnelOptions extends TimeRange {
  readonly steps: readonly string[];
  /** From the first step to the last, inclusive. */
  readonly withinMs: number;
  readonly by?: Period | undefined;
}

interface FunnelStep {
  readonly event: string;
  /** Users who did this step and all before it. */
  readonly users: number;
  /** Share of those who did the first step; null when nobody did. */
  readonly rateFromFirst: number | null;
  readonly rateFromPrevious: number | null;
  /** Between the step before and this one; null for the first, and when nobody came so far. */
  readonly medianMs: number | null;
}

export interface Funnel {
  /** Start of the period in which the attempts began; null without `by`. */
  readonly periodMs: number | null;
  readonly steps: readonly FunnelStep[];
}

/**
 * One row for all users, or for each period: `users1, median1, users2 ...`.
 *
 * An attempt begins with any first step in the range. Each further step is the first event of that name after the step
 * before it (by event time, then in the order of the log; other events may lie between), and counts when it is within
 * the limit of the attempt's first step; steps may lie after the range. Choosing the earliest is exact: a later choice
 * reaches no step that it does not. A user counts once, with the attempt that came furthest, the earliest of those.
 */
export function toFunnelSql({ steps, withinMs, by, ...range }: FunnelOptions): string {
  const names = steps.map(toSqlText);
  const ctes = names.map((name, index) => {
    const n = index + 1;
    if (index === 0)
      return `s1 AS (SELECT profile, pos AS p1, at_ms AS t1 FROM events
  WHERE label = ${name} AND ${toRangeCondition('at_ms', range)})`;
    return `e${n} AS (SELECT profile, pos, at_ms FROM events WHERE label = ${name}),
s${n} AS (SELECT s.*, e.pos AS p${n}, e.at_ms AS t${n} FROM s${index} s
  ASOF LEFT JOIN e${n} e ON s.profile = e.profile AND s.p${index} < e.pos)`;
  });
  const last = steps.length;
  const depth = names.map((_, index) => `WHEN t${last - index} <= t1 + ${withinMs} THEN ${last - index}`).join(' ');
  const columns = names.flatMap((_, index) => {
    const n = index + 1;
    const users = `count(*) FILTER (depth >= ${n}) AS users${n}`;
    return index === 0
      ? [users]
      : [users, `quantile_cont(t${n} - t${index}, 0.5) FILTER (depth >= ${n}) AS median${n}`];
  });
  const period = by === undefined ? 'NULL' : toPeriodStart('t1', by);
  return `
WITH ${ctes.join(',\n')},
attempts AS (SELECT *, CASE ${depth} END AS depth FROM s${last}),
best AS (SELECT * FROM attempts QUALIFY row_number() OVER (PARTITION BY profile ORDER BY depth DESC, p1) = 1)
SELECT ${period} AS period, ${columns.join(', ')}
FROM best GROUP BY period ORDER BY period`;
}

export function toFunnels(rows: readonly Row[], steps: readonly string[]): Funnel[] {
  const all = rows.length === 0 ? [{ period: null }] : rows;
  return all.map((row) => ({
    periodMs: toNumber(row.period ?? null),
    steps: steps.map((_, index) => toStep(row, index)),
  }));

  function toStep(row: Row, index: number): FunnelStep {
    const users = toUsers(row, index);
    const first = toUsers(row, 0);
    const previous = index === 0 ? first : toUsers(row, index - 1);
    return {
      event: steps[index] ?? '',
      users,
      rateFromFirst: toRate(users, first),
      rateFromPrevious: toRate(users, previous),
      medianMs: toNumber(row[`median${index + 1}`] ?? null),
    };
  }
}

function toUsers(row: Row, index: number): number {
  return toNumber(row[`users${index + 1}`] ?? null) ?? 0;
}

function toRate(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole;
}

function toNumber(cell: Row[string] | null): number | null {
  return typeof cell === 'number' ? cell : null;
}
