import { AppError } from '@perennial/kernel';
import { Type } from '@sinclair/typebox';

/** Largest page size, and the default. */
const PAGE_ITEMS_MAX = 500;
const PAGE_ITEMS_DEFAULT = 100;
const CURSOR_CHARS_MAX = 1_024;

/** The query of every list: `?limit=&cursor=`. */
export const PAGE_QUERY = {
  limit: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: PAGE_ITEMS_MAX,
      default: PAGE_ITEMS_DEFAULT,
      description: 'Items of the page, at most.',
    }),
  ),
  cursor: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: CURSOR_CHARS_MAX,
      description: 'Where to go on: `next` of the page before.',
    }),
  ),
};

/** The field `next` in the response of every list. */
export const NEXT_CURSOR = Type.Union([Type.String(), Type.Null()], {
  description: 'The cursor of the next page; null on the last one.',
});

type Query = { readonly limit?: number; readonly cursor?: string };

/**
 * A list that is read in pages by the position of the last item (keyset), so that items added meanwhile do not shift
 * pages.
 */
export interface PagedList<Item, Position> {
  /** Reads up to `limit` items after `after`. */
  read(range: { readonly after: Position | undefined; readonly limit: number }): Promise<readonly Item[]>;
  toPosition(item: Item): Position;
}

/** A kind of list: its name, which its cursors carry, and the form of a position. */
export interface PageKind<Position> {
  readonly name: string;
  isPosition(value: unknown): value is Position;
}

/** Reads one page. Throws `contract_violation` for a cursor that does not belong to this list. */
export async function readPage<Item, Position>(
  kind: PageKind<Position>,
  { limit = PAGE_ITEMS_DEFAULT, cursor }: Query,
  { read, toPosition }: PagedList<Item, Position>,
): Promise<{ readonly items: readonly Item[]; readonly next: string | null }> {
  const after = cursor === undefined ? undefined : decodeCursor(kind, cursor);
  // One more item than requested shows whether there is a next page.
  const found = await read({ after, limit: limit + 1 });
  const items = found.slice(0, limit);
  const last = items.at(-1);
  const next = found.length > limit && last !== undefined ? encodeCursor(kind, toPosition(last)) : null;
  return { items, next };
}

function encodeCursor<Position>({ name }: PageKind<Position>, position: Position): string {
  return Buffer.from(JSON.stringify([name, position])).toString('base64url');
}

function decodeCursor<Position>(kind: PageKind<Position>, cursor: string): Position {
  const parsed = parseJson(Buffer.from(cursor, 'base64url').toString('utf8'));
  const [name, position] = Array.isArray(parsed) ? (parsed as unknown[]) : [];
  if (name === kind.name && kind.isPosition(position)) return position;
  throw new AppError('contract_violation', 'cursor is not the next of a page of this list');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Reported by the caller, like every other text that is not a cursor.
    return undefined;
  }
}
