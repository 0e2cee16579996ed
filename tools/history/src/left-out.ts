import { TextPool } from './column-store.js';

const VALUES_KEPT_MAX = 20;

/** Decides which rows a filter leaves out, and counts them by value. */
export class LeftOut {
  readonly #orders = new TextPool('orders left out');
  readonly #values = new Map<string, number>();
  #count = 0;

  /**
   * True for a row that does not count. Shops write an order's state on its first line only, so a row without one
   * follows the first line of its order.
   */
  check(row: { value: string; orderId: string; allowed: ReadonlySet<string> | undefined }): boolean {
    const { value, orderId, allowed } = row;
    const isInherited = value === '' && orderId !== '';
    const isOut = isInherited ? this.#orders.number(orderId) !== undefined : !allowed?.has(value.toLowerCase());
    if (!isOut) return false;
    if (orderId !== '') this.#orders.intern(orderId);
    this.#count++;
    if (!isInherited) this.#countValue(value);
    return true;
  }

  result(): { count: number; values: Array<{ value: string; count: number }> } {
    const values = [...this.#values].map(([value, count]) => ({ value, count }));
    return { count: this.#count, values: values.sort((a, b) => b.count - a.count) };
  }

  #countValue(value: string): void {
    const known = this.#values.get(value);
    if (known !== undefined || this.#values.size < VALUES_KEPT_MAX) this.#values.set(value, (known ?? 0) + 1);
  }
}
