/** The table `sessions`, as parts of a WITH: the columns of `events` and `session`, numbered within a profile. */
export function toSessions({ gapMs, condition }: { readonly gapMs: number; readonly condition: string }): string {
  return `marked AS (
  SELECT profile, at_ms, label, pos,
         coalesce(CAST(at_ms - lag(at_ms) OVER (PARTITION BY profile ORDER BY pos) > ${gapMs} AS INTEGER), 1) AS begins
  FROM events WHERE ${condition}
),
sessions AS (SELECT profile, at_ms, label, pos, sum(begins) OVER (PARTITION BY profile ORDER BY pos) AS session FROM marked)`;
}
