import { type Row, toSqlText } from './database.js';
import { type TimeRange, toRangeCondition } from './events-table.js';
import { toSessions } from './sessions.js';

export interface PathOptions extends TimeRange {
  /** Paths begin with the first event of this name in a session; without it, with the session's first event. */
  readonly start?: string | undefined;
  /** Events of a path; a session that ends earlier gives a shorter one. */
  readonly length: number;
  /** A session ends where nothing happens for longer. */
  readonly gapMs: number;
  readonly top: number;
}

interface FrequentPath {
  readonly events: readonly string[];
  readonly count: number;
  /** Of all paths: of sessions, or of sessions with the event that they begin with. */
  readonly share: number;
}

export interface Paths {
  readonly total: number;
  readonly distinct: number;
  readonly top: readonly FrequentPath[];
}

/** The most frequent paths: `path, paths, total, different`. Each session gives one path. Equal counts are in order of names. */
export function toPathsSql({ start, length, gapMs, top, ...range }: PathOptions): string {
  const begin = start === undefined ? 'min(pos)' : `min(pos) FILTER (label = ${toSqlText(start)})`;
  return `
WITH ${toSessions({ gapMs, condition: toRangeCondition('at_ms', range) })},
begun AS (
  SELECT pos, ${begin} OVER (PARTITION BY profile, session) AS begin_pos,
         list(label) OVER (PARTITION BY profile, session ORDER BY pos ROWS BETWEEN CURRENT ROW AND ${length - 1} FOLLOWING) AS path
  FROM sessions
),
counted AS (SELECT path, count(*) AS paths FROM begun WHERE pos = begin_pos GROUP BY path)
SELECT path, paths, sum(paths) OVER () AS total, count(*) OVER () AS different
FROM counted ORDER BY paths DESC, path LIMIT ${top}`;
}

export function toPaths(rows: readonly Row[]): Paths {
  const total = Number(rows[0]?.total ?? 0);
  return {
    total,
    distinct: Number(rows[0]?.different ?? 0),
    top: rows.map(({ path, paths }) => ({
      events: Array.isArray(path) ? path.map(String) : [],
      count: Number(paths),
      share: Number(paths) / total,
    })),
  };
}
