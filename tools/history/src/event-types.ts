import { AppError } from '@perennial/kernel';

/** Kinds of rows that the platform counts as orders and refunds; every other type is an event of its own name. */
export type OrderType = 'purchase' | 'return';

export function isOrderType(eventType: string): eventType is OrderType {
  return eventType === 'purchase' || eventType === 'return';
}

/** Other spellings of the two, without regard to case, blanks and punctuation; each can mean nothing else. */
const SYNONYMS: ReadonlyMap<string, OrderType> = new Map([
  ['purchase', 'purchase'],
  ['purchased', 'purchase'],
  ['ordercompleted', 'purchase'],
  ['completedorder', 'purchase'],
  ['return', 'return'],
  ['returned', 'return'],
  ['refund', 'return'],
  ['refunded', 'return'],
  ['orderrefunded', 'return'],
  ['orderreturned', 'return'],
]);

/** Types that often mean an order or a refund, and sometimes a step before one: named, never taken for one. */
const NEAR: ReadonlyMap<string, OrderType> = new Map([
  ...[
    'order',
    'orders',
    'orderplaced',
    'ordercreated',
    'orderpaid',
    'buy',
    'bought',
    'sale',
    'sold',
    'payment',
    'paid',
  ].map((name) => [name, 'purchase'] as const),
  ...[
    'transaction',
    'invoice',
    'checkoutcompleted',
    'completedcheckout',
    'placedorder',
    'conversion',
    'charge',
    'kauf',
    'achat',
    'compra',
  ].map((name) => [name, 'purchase'] as const),
  ...['creditnote', 'chargeback', 'cancellation', 'ordercancelled', 'ordercanceled', 'reversal'].map(
    (name) => [name, 'return'] as const,
  ),
]);

/** Longest difference, in characters, that is taken for a slip of the pen. */
const SLIP_MAX = 2;
const TYPES_KEPT_MAX = 1000;

/** One type of a file, as it is written there. */
export interface EventTypeCount {
  readonly written: string;
  readonly count: number;
  /** Line of the first row with it. */
  readonly line: number;
  /** What it is counted as. */
  readonly as: string;
  /** What it is near to, though it is counted as itself. */
  readonly near: OrderType | undefined;
}

/** Finds what a row's event type is, and counts the types of a file. */
export class EventTypes {
  readonly #given: ReadonlyMap<string, string>;
  readonly #found = new Map<string, { count: number; line: number; as: string; near: OrderType | undefined }>();

  constructor(given: ReadonlyMap<string, string> = new Map()) {
    this.#given = given;
  }

  /** The type as which a row counts. */
  read(written: string, line: number): string {
    const known = this.#found.get(written);
    if (known !== undefined) {
      known.count++;
      return known.as;
    }
    const meaning = this.#interpret(written);
    if (this.#found.size < TYPES_KEPT_MAX) this.#found.set(written, { count: 1, line, ...meaning });
    return meaning.as;
  }

  /** The types, those with most rows first; the first 1,000 that the file has. */
  counts(): readonly EventTypeCount[] {
    return [...this.#found].map(([written, found]) => ({ written, ...found })).sort((a, b) => b.count - a.count);
  }

  #interpret(written: string): { as: string; near: OrderType | undefined } {
    const given = this.#given.get(written);
    if (given !== undefined) return { as: given, near: undefined };
    const plain = written.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');
    const synonym = SYNONYMS.get(plain);
    if (synonym !== undefined) return { as: synonym, near: undefined };
    return { as: written, near: NEAR.get(plain) ?? findSlip(plain) };
  }
}

/** Parses `--types "sale=purchase,refund_issued=return"`; throws `config_invalid`. */
export function parseEventTypes(text: string): ReadonlyMap<string, string> {
  const types = new Map<string, string>();
  for (const pair of text.split(',')) {
    const at = pair.lastIndexOf('=');
    const [written, type] = [pair.slice(0, at).trim(), pair.slice(at + 1).trim()];
    if (at < 1 || written === '' || type === '') {
      throw new AppError('config_invalid', `${JSON.stringify(pair)} is not written=type, such as sale=purchase`);
    }
    types.set(written, type);
  }
  return types;
}

function findSlip(plain: string): OrderType | undefined {
  for (const [name, type] of SYNONYMS) {
    const slipMax = name.length >= 8 ? SLIP_MAX : 1;
    if (Math.abs(name.length - plain.length) <= slipMax && toDistance(name, plain) <= slipMax) return type;
  }
  return undefined;
}

/** Levenshtein distance. */
function toDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const swap = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(swap, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}
