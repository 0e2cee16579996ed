import { describe, expect, it } from '@jest/globals';
import { array, assert as assertProperty, asyncProperty, integer, nat, record } from 'fast-check';
import { type PageKind, readPage } from './page.js';

interface Item {
  readonly at: number;
  readonly id: string;
}

const KIND: PageKind<Item> = {
  name: 'items',
  isPosition: (value): value is Item => typeof (value as Item | null)?.at === 'number',
};

/** Newest first, as in the stores. */
function createList(items: Item[]) {
  return {
    read: async ({ after, limit }: { after: Item | undefined; limit: number }) =>
      items
        .filter((item) => after === undefined || compare(item, after) > 0)
        .sort(compare)
        .slice(0, limit),
    toPosition: ({ at, id }: Item): Item => ({ at, id }),
  };
}

function compare(a: Item, b: Item): number {
  return b.at - a.at || (a.id < b.id ? 1 : a.id > b.id ? -1 : 0);
}

describe('pages by keyset', () => {
  it('hold each item once, whatever is added meanwhile', async () => {
    const times = array(nat(20), { maxLength: 30 });
    const steps = record({
      before: times,
      limit: integer({ min: 1, max: 7 }),
      added: array(nat(25), { maxLength: 10 }),
    });
    await assertProperty(
      asyncProperty(steps, async ({ before, limit, added }) => {
        const items = before.map((at, index) => ({ at, id: `before-${index}` }));
        const kept = [...items];
        const list = createList(items);
        const read: Item[] = [];
        for (let cursor: string | undefined, pages = 0; ; pages++) {
          const page = await readPage(KIND, { limit, ...(cursor === undefined ? {} : { cursor }) }, list);
          expect(page.items.length).toBeLessThanOrEqual(limit);
          read.push(...page.items);
          if (page.next === null) break;
          cursor = page.next;
          const at = added[pages];
          if (at !== undefined) items.push({ at, id: `added-${pages}` });
        }
        expect(new Set(read.map(({ id }) => id)).size).toBe(read.length);
        expect(read).toEqual(expect.arrayContaining(kept));
        expect(read).toEqual([...read].sort(compare));
      }),
    );
  });

  it('have a hundred items when nothing is asked for', async () => {
    const list = createList(Array.from({ length: 150 }, (_, at) => ({ at, id: 'x' })));
    const first = await readPage(KIND, {}, list);
    expect(first.items).toHaveLength(100);
    expect(await readPage(KIND, { cursor: first.next ?? '' }, list)).toMatchObject({ next: null });
  });

  it.each([
    ['text', 'nonsense'],
    ['another list', Buffer.from('["others",{"at":1,"id":"x"}]').toString('base64url')],
    ['another form', Buffer.from('["items","x"]').toString('base64url')],
    ['null', Buffer.from('null').toString('base64url')],
  ])('reject %s as a cursor', async (_what, cursor) => {
    await expect(readPage(KIND, { cursor }, createList([]))).rejects.toMatchObject({ code: 'contract_violation' });
  });
});
