import { ORDER_COMPLETED } from '@perennial/commerce';
import type { Row } from './database.js';
import { type ExtraColumns, type TimeRange, toRangeCondition } from './events-table.js';
import { EXPLORE_LIMITS } from './limits.js';
import { toSessions } from './sessions.js';

export type RuleSource = 'items' | 'events';

export interface RuleOptions extends TimeRange {
  /** What is in a basket: the items of an order, or the names of a session's events. */
  readonly of: RuleSource;
  /** Items of a rule on both sides together, at most; one of them is on the right. */
  readonly items: number;
  readonly minSupport: number;
  readonly minConfidence: number;
  /** A session ends where nothing happens for longer. */
  readonly gapMs: number;
  readonly top: number;
}

/**
 * "Baskets with all of `left` have `right` too." Support and confidence are those of Agrawal, Imielinski and Swami, "Mining
 * Association Rules between Sets of Items in Large Databases" (SIGMOD 1993); lift is that of Brin, Motwani, Ullman and
 * Tsur, "Dynamic Itemset Counting and Implication Rules for Market Basket Data" (SIGMOD 1997, there "interest").
 */
interface Rule {
  /** In the order of their codes. */
  readonly left: readonly string[];
  readonly right: string;
  /** Baskets with all of them. */
  readonly baskets: number;
  /** n(left and right) / n. */
  readonly support: number;
  /** n(left and right) / n(left). */
  readonly confidence: number;
  /** confidence / (n(right) / n): 1 when they are independent. */
  readonly lift: number;
}

export interface Rules {
  /** Baskets with at least one item and no more than `toBasketItemsMax`: n. */
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

/** Items of a basket that is counted: larger ones have too many sets of so many items. */
function toBasketItemsMax(items: number): number {
  return EXPLORE_LIMITS.basketItemsMax[items - EXPLORE_LIMITS.ruleItemsMin] ?? 0;
}

/**
 * Rules by lift, then by baskets and names: `lhs, rhs, both_baskets, lhs_baskets, rhs_baskets, baskets, too_large, found`. A row without
 * `lhs` when there is no rule. Sets grow by an item at a time, and only those that are frequent do: a set is in no more baskets than each
 * part of it (Agrawal and Srikant, "Fast Algorithms for Mining Association Rules", VLDB 1994).
 */
export function toRulesSql(options: RuleOptions): string {
  const { of, items, minSupport, minConfidence, gapMs, top, ...range } = options;
  const condition = toRangeCondition('at_ms', range);
  const sizeMax = toBasketItemsMax(items);
  const isFrequent = `count(*) >= ${minSupport} * (SELECT baskets FROM n)`;
  const sizes = Array.from({ length: items - 1 }, (_, index) => index + 2);
  return `
WITH ${of === 'items' ? toOrderBaskets(condition) : toSessionBaskets(condition, gapMs)},
sized AS (SELECT profile, basket, item, count(*) OVER (PARTITION BY profile, basket) AS size FROM baskets),
kept AS (SELECT profile, basket, item FROM sized WHERE size <= ${sizeMax}),
n AS MATERIALIZED (
  SELECT count(*) FILTER (size <= ${sizeMax}) AS baskets, count(*) FILTER (size > ${sizeMax}) AS too_large
  FROM (SELECT DISTINCT profile, basket, size FROM sized)
),
sets1 AS MATERIALIZED (SELECT item AS i1, count(*) AS set_baskets FROM kept GROUP BY item HAVING ${isFrequent}),
found1 AS MATERIALIZED (SELECT profile, basket, item AS i1 FROM kept SEMI JOIN sets1 ON item = i1),
${sizes.map((size) => toSetsSql(size, isFrequent)).join(',\n')},
rules AS (
  SELECT *, count(*) OVER () AS found
  FROM (${sizes.flatMap(toRuleSelects).join('\n  UNION ALL ')})
  WHERE both_baskets >= ${minConfidence} * lhs_baskets
)
SELECT lhs, rhs, both_baskets, lhs_baskets, rhs_baskets, baskets, too_large, found
FROM n LEFT JOIN rules ON true
ORDER BY CAST(both_baskets AS DOUBLE) / lhs_baskets / rhs_baskets DESC, both_baskets DESC, lhs, rhs LIMIT ${top}`;
}

/** Where sets of a size are, items ascending, and which of them are frequent: those of one item less, and one after their last. */
function toSetsSql(size: number, isFrequent: string): string {
  const smaller = listColumns(size - 1);
  const last = `i${size - 1}`;
  const isKnown = smaller.map((column) => `s.${column} = f.${column}`).join(' AND ');
  return `found${size} AS MATERIALIZED (
  SELECT f.profile, f.basket, ${smaller.map((column) => `f.${column}`).join(', ')}, o.i1 AS i${size}
  FROM (SELECT * FROM found${size - 1} f SEMI JOIN sets${size - 1} s ON ${isKnown}) f
  JOIN found1 o ON f.profile = o.profile AND f.basket = o.basket AND f.${last} < o.i1
),
sets${size} AS MATERIALIZED (
  SELECT ${listColumns(size).join(', ')}, count(*) AS set_baskets FROM found${size} GROUP BY ALL HAVING ${isFrequent}
)`;
}

/** Each item of a set in turn is on the right, and the others on the left: they are a frequent set too. */
function toRuleSelects(size: number): string[] {
  return listColumns(size).map((right) => {
    const left = listColumns(size).filter((column) => column !== right);
    const isLeft = left.map((column, index) => `s.${column} = l.i${index + 1}`).join(' AND ');
    return `SELECT [${left.map((column) => `s.${column}`).join(', ')}] AS lhs, s.${right} AS rhs, s.set_baskets AS both_baskets,
    l.set_baskets AS lhs_baskets, r.set_baskets AS rhs_baskets
  FROM sets${size} s JOIN sets${size - 1} l ON ${isLeft} JOIN sets1 r ON s.${right} = r.i1`;
  });
}

function listColumns(size: number): string[] {
  return Array.from({ length: size }, (_, index) => `i${index + 1}`);
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
    top: rows.filter(({ lhs }) => Array.isArray(lhs)).map((row) => toRule(row, baskets)),
  };
}

function toRule(row: Row, baskets: number): Rule {
  const [both, left, right] = [Number(row.both_baskets), Number(row.lhs_baskets), Number(row.rhs_baskets)];
  return {
    left: Array.isArray(row.lhs) ? row.lhs.map(String) : [],
    right: String(row.rhs),
    baskets: both,
    support: both / baskets,
    confidence: both / left,
    lift: (both * baskets) / (left * right),
  };
}
