import { type History, type RowId, RowIds } from '@perennial/history';
import { decodeIds, decodeOrders, type SentOrder } from './ledger-codec.js';
import type { RowLedger } from './row-ledger.js';

/** What is to be done with an event of the file. */
export const UNSENT = 0;
/** An earlier run has sent it. */
export const SENT = 1;
/** An earlier run has sent its order with other rows or another amount, which cannot be taken back. */
const CHANGED = 2;

type Further = NonNullable<ReturnType<History['furtherReturn']>>;

/** What earlier runs have sent of a file. */
export interface Sent {
  /** By the event's index in the file: `UNSENT`, `SENT` or `CHANGED`. */
  readonly flags: Uint8Array;
  /** Refunds of which a smaller amount was sent, by index, with that amount: only what is more is sent. */
  readonly paidBack: ReadonlyMap<number, number>;
  /** Refunds of which other rows were sent, by index: only what is new is sent. */
  readonly returned: ReadonlyMap<number, Further>;
  /** Sent orders of which the ledger has no amount yet: it was written by a version that kept none. */
  readonly unnamed: readonly SentOrder[];
}

/** Numbers and first lines, for the result. */
export interface SentSummary {
  readonly events: number;
  readonly rows: number;
  /** Time of the latest of them. */
  readonly lastMs: number | undefined;
  /** Orders and refunds that are not sent although their content is new. */
  readonly changed: { readonly count: number; readonly firstLine: number | undefined };
}

/** Which events of the file the ledger knows. The ledger is streamed through the file's ids: memory depends on the file only. */
export async function findSent(history: History, ledger: Pick<RowLedger, 'read'>): Promise<Sent> {
  const flags = new Uint8Array(history.length);
  const orders = new OrderAmounts(history);
  for await (const entry of ledger.read()) {
    for (const id of decodeIds(entry.ids)) {
      const index = history.find(id);
      if (index >= 0) flags[index] = SENT;
    }
    for (const order of decodeOrders(entry.orders)) orders.set(order);
  }
  const paidBack = new Map<number, number>();
  for (const { index, amount: known } of orders.known()) {
    if (flags[index] !== UNSENT) continue;
    const isMore = history.isRefundTotal(index) && (history.amount(index) ?? 0) > known;
    if (isMore) paidBack.set(index, known);
    else flags[index] = CHANGED;
  }
  const unnamed = orders.unknown().filter(({ index }) => flags[index] === SENT);
  return { flags, paidBack, returned: findReturned(history, flags, (key) => orders.amount(key)), unnamed };
}

/** Flags the refunds of which the ledger has rows, and gives what is new in them. A changed set of rows may have the id of one that was sent. */
function findReturned(history: History, flags: Uint8Array, known: (key: RowId) => number | undefined) {
  const returned = new Map<number, Further>();
  for (let index = 0; index < history.length; index++) {
    const further = history.furtherReturn(index, known);
    if (further === undefined) continue;
    if (further.sent.length > 0) {
      flags[index] = UNSENT;
      returned.set(index, further);
    } else flags[index] = further.isLess ? CHANGED : SENT;
  }
  return returned;
}

export function summarizeSent(history: History, { flags, returned }: Pick<Sent, 'flags' | 'returned'>): SentSummary {
  let events = 0;
  let rows = 0;
  let lastMs: number | undefined;
  let changed = 0;
  let firstLine: number | undefined;
  for (let index = 0; index < history.length; index++) {
    if (flags[index] === SENT) {
      events++;
      rows += history.rowCount(index);
      lastMs = history.timestampMs(index);
    }
    if (flags[index] !== CHANGED && returned.get(index)?.isLess !== true) continue;
    changed++;
    firstLine = Math.min(firstLine ?? Number.POSITIVE_INFINITY, history.line(index));
  }
  return { events, rows, lastMs, changed: { count: changed, firstLine } };
}

/** What the result says of orders that are not sent although their content is new. */
export function toChangeWarnings(fileName: string, { changed }: SentSummary): string[] {
  if (changed.count === 0) return [];
  const orders = `${changed.count} orders or refunds (first ${fileName}:${changed.firstLine}) were backfilled before with other rows`;
  return [`${orders} or a greater amount, which cannot be taken back: they are not sent again`];
}

/** The order of an event, or the rows of a refund, as the ledger keeps them; none where nothing names them. */
export function toSentOrders(history: History, index: number): readonly SentOrder[] {
  const key = history.orderKey(index);
  return key === undefined ? history.returnParts(index) : [{ key, amount: history.amount(index) ?? Number.NaN }];
}

/** The orders of a file by what names them, each with the amount that was sent last. */
class OrderAmounts {
  readonly #history: History;
  readonly #keys: RowIds;
  /** By number of the key. */
  readonly #indexes: Uint32Array;
  readonly #amounts: Float64Array;
  readonly #isKnown: Uint8Array;

  constructor(history: History) {
    this.#history = history;
    const named = Array.from({ length: history.length }, (_, index) =>
      toSentOrders(history, index).map(({ key }) => key),
    );
    const count = named.reduce((sum, keys) => sum + keys.length, 0);
    this.#keys = new RowIds(count);
    this.#indexes = new Uint32Array(count);
    this.#amounts = new Float64Array(count);
    this.#isKnown = new Uint8Array(count);
    for (const [index, keys] of named.entries()) for (const key of keys) this.#add(key, index);
  }

  #add(key: RowId, index: number): void {
    if (this.#keys.find(key) >= 0) return;
    this.#indexes[this.#keys.length] = index;
    this.#keys.push(key);
  }

  set({ key, amount }: SentOrder): void {
    const number = this.#keys.find(key);
    if (number < 0) return;
    this.#amounts[number] = amount;
    this.#isKnown[number] = 1;
  }

  amount(key: RowId): number | undefined {
    const number = this.#keys.find(key);
    return number < 0 || this.#isKnown[number] !== 1 ? undefined : this.#amounts[number];
  }

  *known(): Generator<{ readonly index: number; readonly amount: number }> {
    for (let number = 0; number < this.#keys.length; number++) {
      if (this.#isKnown[number] !== 1 || !this.#isOrder(number)) continue;
      yield { index: this.#indexes[number] as number, amount: this.#amounts[number] as number };
    }
  }

  /** False for rows of returns, which may have been sent in part. */
  #isOrder(number: number): boolean {
    return this.#history.orderKey(this.#indexes[number] as number) !== undefined;
  }

  unknown(): Array<SentOrder & { readonly index: number }> {
    const found: Array<SentOrder & { readonly index: number }> = [];
    for (let number = 0; number < this.#keys.length; number++) {
      if (this.#isKnown[number] === 1) continue;
      const index = this.#indexes[number] as number;
      const key = this.#keys.at(number);
      const order = toSentOrders(this.#history, index).find(
        (one) => one.key.low === key.low && one.key.high === key.high,
      );
      if (order !== undefined) found.push({ ...order, index });
    }
    return found;
  }
}
