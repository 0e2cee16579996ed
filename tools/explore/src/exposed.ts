import { ORDER_COMPLETED } from '@perennial/commerce';
import { type Row, toSqlText } from './database.js';
import { REPORTED } from './events-table.js';

/** Who was exposed to something, when, and in which group. */
interface Exposure {
  readonly profileKey: string;
  readonly group: string;
  readonly atMs: number;
}

export interface ExposedOptions {
  readonly exposures: readonly Exposure[];
  /** Those of other experiments, by their name. */
  readonly others?: ReadonlyMap<string, readonly Exposure[]>;
  /** After an exposure, conversion, revenue and harms are counted for this long, and as long before it what was before. */
  readonly windowMs: number;
  /** Nothing after it is known; absent: the archive's last event. */
  readonly untilMs?: number | undefined;
}

/** A person, by the earliest exposure of its profiles. */
export interface ExposedPerson {
  readonly profileKey: string;
  readonly group: string;
  readonly atMs: number;
  /** Its groups in other experiments that were asked for, by the earliest exposure of its profiles there. */
  readonly others: ReadonlyMap<string, string>;
  /** Its window is over. */
  readonly isWindowOver: boolean;
  readonly orders: number;
  /** In the currency of most orders. */
  readonly revenue: number;
  readonly revenueBefore: number;
  readonly unsubscribed: boolean;
  readonly complained: boolean;
  /** Did anything in the week after 30, 60, 90 days; undefined before that week is over. */
  readonly returned: readonly (boolean | undefined)[];
}

const DAY_MS = 86_400_000;
const RETURN_DAYS = [30, 60, 90] as const;
const RETURN_WINDOW_MS = 7 * DAY_MS;
const UNITS = 10_000;
const ROWS_PER_INSERT = 1_000;

/** Statements that make the table `exposed`: the exposures that are asked about have '' as their experiment. */
export function toExposedTable({ exposures, others }: ExposedOptions): readonly string[] {
  const columns = 'experiment VARCHAR, profile_key VARCHAR, arm VARCHAR, at_ms BIGINT';
  const more = [...(others ?? [])].flatMap(([experiment, found]) => toInserts(found, experiment));
  return [`CREATE TABLE exposed (${columns})`, ...toInserts(exposures, ''), ...more];
}

function toInserts(exposures: readonly Exposure[], experiment: string): readonly string[] {
  const statements: string[] = [];
  for (let start = 0; start < exposures.length; start += ROWS_PER_INSERT) {
    const rows = exposures
      .slice(start, start + ROWS_PER_INSERT)
      .map(
        ({ profileKey, group, atMs }) =>
          `(${[experiment, profileKey, group].map(toSqlText).join(', ')}, ${Math.trunc(atMs)})`,
      );
    statements.push(`INSERT INTO exposed VALUES ${rows.join(', ')}`);
  }
  return statements;
}

/** A row for each person and each of the other experiments that it was exposed to: the arm of its earliest exposure there. */
export function toOtherArmsSql({ untilMs }: ExposedOptions): string {
  const isKnown = untilMs === undefined ? '' : ` AND at_ms <= ${untilMs}`;
  return `
SELECT coalesce(root_key, profile_key) AS profile_key, experiment, arg_min(arm, (at_ms, profile_key)) AS arm
FROM exposed LEFT JOIN joined USING (profile_key) WHERE experiment <> ''${isKnown} GROUP BY ALL`;
}

/** A row for each person, in the order of exposure. */
export function toExposedSql({ windowMs, untilMs }: ExposedOptions): string {
  const isOrder = `e.label = ${toSqlText(ORDER_COMPLETED)}`;
  const inWindow = `e.at_ms > p.at_ms AND e.at_ms <= p.at_ms + ${windowMs}`;
  const before = `e.at_ms <= p.at_ms AND e.at_ms > p.at_ms - ${windowMs}`;
  const money = 'e.currency = (SELECT currency FROM main)';
  const sum = (when: string) =>
    `coalesce(sum(CAST(round(e.amount * ${UNITS}) AS BIGINT)) FILTER (WHERE ${isOrder} AND ${money} AND ${when}), 0)`;
  const harm = (name: string) =>
    `count(*) FILTER (WHERE e.type = 'outcome' AND e.name = '${name}' AND ${inWindow}) > 0`;
  const returned = RETURN_DAYS.map((days) => {
    const from = `p.at_ms + ${days * DAY_MS}`;
    const isBack = `e.at_ms > ${from} AND e.at_ms <= ${from} + ${RETURN_WINDOW_MS} AND e.type NOT IN ${REPORTED}`;
    return `CASE WHEN ${from} + ${RETURN_WINDOW_MS} <= (SELECT ms FROM now)
      THEN count(*) FILTER (WHERE ${isBack}) > 0 END AS back${days}`;
  });
  return `
WITH now AS (SELECT ${untilMs === undefined ? 'max(at_ms)' : `max(CAST(${untilMs} AS BIGINT))`} AS ms FROM events),
main AS (
  SELECT currency FROM events WHERE label = ${toSqlText(ORDER_COMPLETED)} AND amount IS NOT NULL
  GROUP BY currency ORDER BY count(*) DESC, currency LIMIT 1
),
persons AS (
  SELECT coalesce(root_key, profile_key) AS profile_key, arg_min(arm, (at_ms, profile_key)) AS arm, min(at_ms) AS at_ms
  FROM exposed LEFT JOIN joined USING (profile_key) WHERE experiment = '' GROUP BY ALL
)
SELECT p.profile_key, p.arm, p.at_ms, p.at_ms + ${windowMs} <= (SELECT ms FROM now) AS is_over,
  count(*) FILTER (WHERE ${isOrder} AND ${inWindow}) AS orders, ${sum(inWindow)} AS revenue, ${sum(before)} AS before,
  ${harm('unsubscribed')} AS unsubscribed, ${harm('complained')} AS complained,
  ${returned.join(',\n  ')}
FROM persons p
LEFT JOIN (SELECT * FROM events WHERE at_ms <= (SELECT ms FROM now)) e ON e.profile_key = p.profile_key
WHERE p.at_ms <= (SELECT ms FROM now)
GROUP BY p.profile_key, p.arm, p.at_ms ORDER BY p.at_ms, p.profile_key`;
}

/** Of rows of `toExposedSql` and of `toOtherArmsSql`. */
export function toExposedPersons(rows: readonly Row[], otherArms: readonly Row[]): ExposedPerson[] {
  const others = new Map<string, Map<string, string>>();
  for (const { profile_key, experiment, arm } of otherArms) {
    const own = others.get(String(profile_key)) ?? new Map<string, string>();
    others.set(String(profile_key), own.set(String(experiment), String(arm)));
  }
  return rows.map((row) => ({
    profileKey: String(row.profile_key),
    others: others.get(String(row.profile_key)) ?? new Map(),
    group: String(row.arm),
    atMs: Number(row.at_ms),
    isWindowOver: row.is_over === true,
    orders: Number(row.orders),
    revenue: Number(row.revenue) / UNITS,
    revenueBefore: Number(row.before) / UNITS,
    unsubscribed: row.unsubscribed === true,
    complained: row.complained === true,
    returned: RETURN_DAYS.map((days) => {
      const cell = row[`back${days}`];
      return typeof cell === 'boolean' ? cell : undefined;
    }),
  }));
}
