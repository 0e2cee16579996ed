/** Items in ascending order of a whole number that each has and no two share. Never changed in place. */
export type Ascending<T> = readonly T[];

/** How items are ordered, and how two with one number become one. */
export interface Order<T> {
  numberOf(item: T): number;
  unite(a: T, b: T): T;
}

/** The list with one more item; the same list when uniting changes nothing. Most items are the newest: a scan from the end. */
export function addAscending<T>(list: Ascending<T>, item: T, { numberOf, unite }: Order<T>): Ascending<T> {
  const number = numberOf(item);
  let place = list.length;
  while (place > 0 && numberOf(list[place - 1] as T) >= number) place -= 1;
  const there = list[place];
  const isThere = there !== undefined && numberOf(there) === number;
  const united = isThere ? unite(there, item) : item;
  if (isThere && united === there) return list;
  const after = list.slice();
  after.splice(place, isThere ? 1 : 0, united);
  return after;
}

/** The items of both lists. */
export function uniteAscending<T>(a: Ascending<T>, b: Ascending<T>, { numberOf, unite }: Order<T>): Ascending<T> {
  if (a.length === 0) return b;
  if (b.length === 0) return a;
  const united: T[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    const [left, right] = [a[i], b[j]];
    const order = left === undefined ? 1 : right === undefined ? -1 : numberOf(left) - numberOf(right);
    united.push(order < 0 ? (left as T) : order > 0 ? (right as T) : unite(left as T, right as T));
    if (order <= 0) i += 1;
    if (order >= 0) j += 1;
  }
  return united;
}

/** The list without the items below a number; the same list when there are none. */
export function dropBelow<T>(list: Ascending<T>, numberMin: number, { numberOf }: Order<T>): Ascending<T> {
  let place = 0;
  while (place < list.length && numberOf(list[place] as T) < numberMin) place += 1;
  return place === 0 ? list : list.slice(place);
}
