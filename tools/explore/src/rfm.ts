import { ORDER_COMPLETED } from '@perennial/commerce';
import { type Row, toSqlText } from './database.js';
import { type TimeRange, toRangeCondition } from './events-table.js';

type RfmSplit = 'mean' | 'median';

export interface RfmOptions extends TimeRange {
  readonly split: RfmSplit;
  /** By hand, in place of the mean or median: days, orders, money. */
  readonly recencyDays?: number | undefined;
  readonly orders?: number | undefined;
  readonly revenue?: number | undefined;
}

/** Recent (R), frequent (F), valuable (M): the eight classes that are customary in CRM, from best to worst. */
export const RFM_CLASSES = [
  { name: 'important value', r: true, f: true, m: true },
  { name: 'important develop', r: true, f: false, m: true },
  { name: 'important keep', r: false, f: true, m: true },
  { name: 'important win back', r: false, f: false, m: true },
  { name: 'general value', r: true, f: true, m: false },
  { name: 'general develop', r: true, f: false, m: false },
  { name: 'general keep', r: false, f: true, m: false },
  { name: 'general win back', r: false, f: false, m: false },
] as const;

interface RfmClass {
  readonly name: string;
  readonly users: number;
  /** Means of the class; null without users. */
  readonly recencyDays: number | null;
  readonly orders: number | null;
  readonly revenue: number | null;
}

export interface RfmGrid {
  /** Users with an order in the range. */
  readonly users: number;
  /** Recent: fewer days since the last order than this. Frequent, valuable: more than these. Null without users. */
  readonly thresholds: { readonly recencyDays: number; readonly orders: number; readonly revenue: number } | null;
  /** Of the money, that of most orders; '' for the namespace's. Amounts in others are not added. */
  readonly currency: string | null;
  readonly otherAmounts: number;
  readonly classes: readonly RfmClass[];
}

const DAY_MS = 86_400_000;
/** Money is added in whole units of 1e-4, as features add it, so that the order of addition is of no matter. */
const UNITS = 10_000;

/** A row for each class with users: `r, f, m, users, recency, orders, revenue`, the thresholds, `currency` and `others`. */
export function toRfmSql({ split, recencyDays, orders, revenue, ...range }: RfmOptions): string {
  const middle = (column: string) => (split === 'mean' ? `avg(${column})` : `quantile_cont(${column}, 0.5)`);
  // An aggregate in each case: so `thresholds` has one row.
  const threshold = (column: string, byHand: number | undefined, scale: number) =>
    byHand === undefined ? middle(column) : `max(CAST(${byHand * scale} AS DOUBLE))`;
  const now = range.toMs === undefined ? '(SELECT max(at_ms) FROM events)' : String(range.toMs);
  return `
WITH orders AS (
  SELECT profile, at_ms, amount, currency FROM events
  WHERE label = ${toSqlText(ORDER_COMPLETED)} AND ${toRangeCondition('at_ms', range)}
),
main AS (
  SELECT currency FROM orders WHERE amount IS NOT NULL GROUP BY currency ORDER BY count(*) DESC, currency LIMIT 1
),
users AS (
  SELECT profile, ${now} - max(at_ms) AS recency, count(*) AS orders,
         coalesce(sum(CASE WHEN currency = (SELECT currency FROM main) THEN CAST(round(amount * ${UNITS}) AS BIGINT) END), 0)
           AS revenue
  FROM orders GROUP BY profile
),
thresholds AS (
  SELECT ${threshold('recency', recencyDays, DAY_MS)} AS r_at, ${threshold('orders', orders, 1)} AS f_at,
         ${threshold('revenue', revenue, UNITS)} AS m_at
  FROM users
)
SELECT recency < r_at AS r, orders > f_at AS f, revenue > m_at AS m, count(*) AS users, avg(recency) AS recency,
       avg(orders) AS orders, avg(revenue) AS revenue, any_value(r_at) AS r_at, any_value(f_at) AS f_at,
       any_value(m_at) AS m_at, (SELECT currency FROM main) AS currency,
       (SELECT count(*) FROM orders WHERE amount IS NOT NULL AND currency <> (SELECT currency FROM main)) AS others
FROM users, thresholds GROUP BY r, f, m`;
}

export function toRfmGrid(rows: readonly Row[]): RfmGrid {
  const [head] = rows;
  const classes = RFM_CLASSES.map(({ name, r, f, m }): RfmClass => {
    const row = rows.find((one) => one.r === r && one.f === f && one.m === m);
    if (row === undefined) return { name, users: 0, recencyDays: null, orders: null, revenue: null };
    const { users, recency, orders, revenue } = row;
    return {
      name,
      users: Number(users),
      recencyDays: Number(recency) / DAY_MS,
      orders: Number(orders),
      revenue: Number(revenue) / UNITS,
    };
  });
  return {
    users: classes.reduce((sum, { users }) => sum + users, 0),
    thresholds:
      head === undefined
        ? null
        : {
            recencyDays: Number(head.r_at) / DAY_MS,
            orders: Number(head.f_at),
            revenue: Number(head.m_at) / UNITS,
          },
    currency: typeof head?.currency === 'string' ? head.currency : null,
    otherAmounts: Number(head?.others ?? 0),
    classes,
  };
}
