import { integer, list, located, named, number, object, type Parsed, parseYaml, text } from '@perennial/expressions';
import { AMOUNT_MAX } from './amount.js';

/** What one unit of each currency is worth in one currency, that of a namespace. */
export interface RateTable {
  /** The namespace's currency, in which its sums are. */
  readonly currency: string;
  /**
   * Value of one unit of a currency at a time, UTC ms; undefined where the table has none. '' is the namespace's own:
   * nobody said another.
   */
  rateAt(currency: string, atMs: number): number | undefined;
}

/** Raised when an existing file would be read in another way. */
const FILE_VERSION = 1;
/** ISO 4217 has some 180 codes in use; the rest of the 17,576 is room for one's own, such as points. */
const CURRENCIES_MAX = 1_000;
const RATES_PER_CURRENCY_MAX = 5_000;
const RATE_MIN = 1e-12;
const RATE_MAX = 1e12;
/** Amounts are added up in whole units of 1e-4, so a converted one is rounded to them at once. */
const UNITS_PER_AMOUNT = 1e4;

const CODE = { pattern: /^[A-Z]{3}$/, patternHint: 'a code of ISO 4217, three capital letters such as EUR' };

interface DatedRate {
  readonly fromMs: number;
  readonly rate: number;
}

type RateList = readonly DatedRate[];

const constant = number({ min: RATE_MIN, max: RATE_MAX });

type Shape<T> = { read(...args: Parameters<typeof constant.read>): T | undefined };

const dayText = text({ lengthMax: 10, pattern: /^\d{4}-\d{2}-\d{2}$/, patternHint: 'a day such as 2024-01-31' });

/** The beginning of a day, UTC ms. */
const day: Shape<number> = {
  read(node, place, context) {
    const value = dayText.read(node, place, context);
    if (value === undefined) return undefined;
    const ms = Date.parse(`${value}T00:00:00Z`);
    if (!Number.isNaN(ms) && new Date(ms).toISOString().startsWith(value)) return ms;
    context.report({ offset: node?.range?.[0] ?? place.offset }, `there is no day ${value}`);
    return undefined;
  },
};

const dated = list(object({ from: located(day), rate: constant }), { itemsMin: 1, itemsMax: RATES_PER_CURRENCY_MAX });

/** One rate for all times, or a list of rates that hold from a day on. */
const rates: Shape<RateList> = {
  read(node, place, context) {
    if (node === null || !('items' in node)) {
      const rate = constant.read(node, place, context);
      return rate === undefined ? undefined : [{ fromMs: Number.NEGATIVE_INFINITY, rate }];
    }
    const items = dated.read(node, place, context);
    let beforeMs = Number.NEGATIVE_INFINITY;
    return items?.map(({ from, rate }) => {
      if (from.value <= beforeMs) context.report(from.place, 'days must ascend, each once');
      beforeMs = from.value;
      return { fromMs: from.value, rate };
    });
  },
};

const FILE = object({
  version: integer({ min: FILE_VERSION, max: FILE_VERSION }),
  currency: text({ lengthMax: 3, ...CODE }),
  rates: located(named(rates, { ...CODE, itemsMax: CURRENCIES_MAX })),
});

/** Reads a rate table, as YAML or JSON; all problems at once, each with its line. */
export function parseRateTable(content: string, options: { readonly fileName: string }): Parsed<RateTable> {
  const parsed = parseYaml(content, FILE, {
    ...options,
    check({ currency, rates: { value, place } }, report) {
      if (value.has(currency)) report(place, `${currency} is the table's own currency: leave its rate out`);
    },
  });
  if (!parsed.ok) return parsed;
  return { ok: true, value: createRateTable(parsed.value.currency, parsed.value.rates.value) };
}

/** In force on a partition before its first rollout of rates. Must never change: a log is read the same for ever. */
export const INITIAL_RATES: RateTable = createRateTable('USD', new Map());

function createRateTable(currency: string, byCurrency: ReadonlyMap<string, RateList>): RateTable {
  return {
    currency,
    rateAt(code, atMs) {
      if (code === '' || code === currency) return 1;
      return findRate(byCurrency.get(code) ?? [], atMs);
    },
  };
}

/** The last rate that began at or before a time. */
function findRate(list: RateList, atMs: number): number | undefined {
  let from = 0;
  let to = list.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if ((list[middle] as DatedRate).fromMs <= atMs) from = middle + 1;
    else to = middle;
  }
  return list[from - 1]?.rate;
}

/**
 * An amount in the namespace's currency: amount times rate as doubles, then to the nearest 1e-4 (halves up, as
 * `Math.round` does). A rate of 1 leaves the amount as it is. Undefined without a rate, and beyond `AMOUNT_MAX`.
 */
export function convertAmount(amount: number, rate: number | undefined): number | undefined {
  if (rate === undefined) return undefined;
  if (rate === 1) return amount;
  const converted = Math.round(amount * rate * UNITS_PER_AMOUNT) / UNITS_PER_AMOUNT;
  return Math.abs(converted) <= AMOUNT_MAX ? converted : undefined;
}
