import { ORDER_COMPLETED } from '@perennial/commerce';
import type { Row } from './database.js';
import { type ExtraColumns, type TimeRange, toRangeCondition } from './events-table.js';
import { EXPLORE_LIMITS } from './limits.js';
import { toSessions } from './sessions.js';

export type RuleSource = 'items' | 'events';

export interface RuleOptions extends TimeRange {
  /** What is in a basket: the items of an order, or the names of a session's events. */
  readonly of: RuleSource;
  readonly minSupport: number;
  readonly minConfidence: number;
  /** A session ends where nothing happens for longer. */
  readonly gapMs: number;
  readonly top: number;
}

/**
 * "Baskets with `left` have `right` too." Support and confidence are those of Agrawal, Imielinski and Swami, "Mining
 * Association Rules between Sets of Items in Large Databases" (SIGMOD 1993); lift is that of Brin, Motwani, Ullman and
 * Tsur, "Dynamic Itemset Counting and Implication Rules for Market Basket Data" (SIGMOD 1997, there "interest").
 */
interface Rule {
  readonly left: string;
  readonly right: string;
  /** Baskets with both. */
  readonly baskets: number;
  /** n(left and right) / n. */
  readonly support: number;
  /** n(left and right) / n(left). */
  readonly confidence: number;
  /** confidence / (n(right) / n): 1 when they are independent. */
  readonly lift: number;
}

export interface Rules {
  /** Baskets with at least one item and no more than `basketItemsMax`: n. */
  readonly baskets: number;
  /** Baskets with more: in no figure. */
  readonly tooLarge: number;
  /** Rules that there are; `top` holds the first of them. */
  readonly found: number;
  readonly top: readonly Rule[];
}

/** What the table of events must have. */
export function toRuleColumns(of: RuleSource): ExtraColumns | undefined {
  return of === 'items' ? { event: ORDER_COMPLETED, columns: ['properties'] } : undefined;
}

/**
 * Rules by lift, then by baskets and names: `lhs, rhs, both, lhs_baskets, rhs_baskets, baskets, too_large, found`. A row without
 * `lhs` when there is no rule.
 */
export function toRulesSql({ of, minSupport, minConfidence, gapMs, top, ...range }: RuleOptions): string {
  const condition = toRangeCondition('at_ms', range);
  return `
WITH ${of === 'items' ? toOrderBaskets(condition) : toSessionBaskets(condition, gapMs)},
sized AS (SELECT profile, basket, item, count(*) OVER (PARTITION BY profile, basket) AS size FROM baskets),
kept AS (SELECT profile, basket, item FROM sized WHERE size <= ${EXPLORE_LIMITS.basketItemsMax}),
n AS (
  SELECT count(*) FILTER (size <= ${EXPLORE_LIMITS.basketItemsMax}) AS baskets,
         count(*) FILTER (size > ${EXPLORE_LIMITS.basketItemsMax}) AS too_large
  FROM (SELECT DISTINCT profile, basket, size FROM sized)
),
frequent AS (
  SELECT item, count(*) AS item_baskets FROM kept GROUP BY item
  HAVING count(*) >= ${minSupport} * (SELECT baskets FROM n)
),
candidates AS (SELECT profile, basket, item, item_baskets FROM kept JOIN frequent USING (item)),
pairs AS (
  SELECT l.item AS lhs, r.item AS rhs, count(*) AS both_baskets,
         any_value(l.item_baskets) AS lhs_baskets, any_value(r.item_baskets) AS rhs_baskets
  FROM candidates l JOIN candidates r ON l.profile = r.profile AND l.basket = r.basket AND l.item <> r.item
  GROUP BY l.item, r.item
),
rules AS (
  SELECT *, count(*) OVER () AS found FROM pairs
  WHERE both_baskets >= ${minSupport} * (SELECT baskets FROM n) AND both_baskets >= ${minConfidence} * lhs_baskets
)
SELECT lhs, rhs, both_baskets, lhs_baskets, rhs_baskets, baskets, too_large, found
FROM n LEFT JOIN rules ON true
ORDER BY CAST(both_baskets AS DOUBLE) / lhs_baskets / rhs_baskets DESC, both_baskets DESC, lhs, rhs LIMIT ${top}`;
}

/** Distinct items of each order: ids of its products, else its own. The fields are those of the features about products. */
function toOrderBaskets(condition: string): string {
  return `orders AS (
  SELECT profile, pos AS basket, properties FROM events
  WHERE properties IS NOT NULL AND json_valid(properties) AND ${condition}
),
products AS (
  SELECT profile, basket, unnest(CASE WHEN len(list) > 0 THEN list ELSE [CAST(properties AS JSON)] END) AS product
  FROM (SELECT profile, basket, properties, json_extract(properties, '$.products[*]') AS list FROM orders)
),
baskets AS (
  SELECT DISTINCT profile, basket, item
  FROM (SELECT profile, basket, coalesce(${toItemId('product_id')}, ${toItemId('sku')}) AS item FROM products)
  WHERE item IS NOT NULL
)`;
}

/** A field as a text, when it is a number or a text with something in it. */
function toItemId(field: string): string {
  return `CASE WHEN json_type(product, '$.${field}') IN ('VARCHAR', 'BIGINT', 'UBIGINT', 'DOUBLE')
    THEN nullif(trim(json_extract_string(product, '$.${field}')), '') END`;
}

function toSessionBaskets(condition: string, gapMs: number): string {
  return `${toSessions({ gapMs, condition })},
baskets AS (SELECT DISTINCT profile, session AS basket, label AS item FROM sessions)`;
}

export function toRules(rows: readonly Row[]): Rules {
  const [head] = rows;
  const baskets = Number(head?.baskets ?? 0);
  return {
    baskets,
    tooLarge: Number(head?.too_large ?? 0),
    found: Number(head?.found ?? 0),
    top: rows.filter(({ lhs }) => typeof lhs === 'string').map((row) => toRule(row, baskets)),
  };
}

function toRule(row: Row, baskets: number): Rule {
  const [both, left, right] = [Number(row.both_baskets), Number(row.lhs_baskets), Number(row.rhs_baskets)];
  return {
    left: String(row.lhs),
    right: String(row.rhs),
    baskets: both,
    support: both / baskets,
    confidence: both / left,
    lift: (both * baskets) / (left * right),
  };
}
