import type { Draw } from '../../draw.js';

/** What must come of an event, known from the way it was drawn. */
export type Expected =
  | { readonly kind: 'rejected'; readonly reason: string }
  | {
      readonly kind: 'accepted';
      readonly person: Person;
      readonly messageId: string;
      readonly order?: { readonly id: string | undefined; readonly worth: number };
    };

export type Person = { readonly userId: string } | { readonly anonymousId: string };

export interface DrawnEvent {
  readonly event: Record<string, unknown>;
  readonly expected: Expected;
}

/** One part of an event: its fields, and the reason for which it is rejected, if it is. */
interface Part {
  readonly fields: Record<string, unknown>;
  readonly reason?: string;
}

/** Values in the namespace's currency; powers of two, so that sums are exact in any order. */
export const RATES: Readonly<Record<string, number>> = { USD: 1, EUR: 2, JPY: 0.5 };
export const RECEIVED_AT_MS = Date.UTC(2026, 4, 17, 12);

const PLACEHOLDERS = [
  'undefined',
  'null',
  'NaN',
  'guest',
  '[object Object]',
  '00000000-0000-0000-0000-000000000000',
] as const;
const GOOD_TIMES = [
  '2026-05-17T11:00:00Z',
  '2026-05-17T13:00:00.123+02:00',
  '2026-05-17 10:00:00+00',
  '2026-05-17 11:59:59 UTC',
  '2026-05-17 06:00:00 -0500',
  RECEIVED_AT_MS - 5_000,
] as const;
const BAD_TIMES = [
  'yesterday',
  '2026-02-30T00:00:00Z',
  '2026-13-01',
  '2026-05-17T25:00:00Z',
  {},
  true,
  '12/1/2026 8:26',
] as const;
const BAD_SENT_AT = ['', '0001-01-01T00:00:00Z', '1970-01-01T00:00:00Z', '2026-05-01T00:00:00Z', 'soon', {}] as const;
const AMOUNT_FIELDS = ['revenue', 'total', 'value', 'subtotal'] as const;
const BAD_AMOUNTS = ['abc', '€12,50', {}, [], true, '1,234'] as const;
const CURRENCIES = ['USD', 'eur', 'JPY', 'GBP', undefined] as const;
const OTHER_NAMES = ['Page Scrolled', 'Signed Up', 'order completed', '测试'] as const;
const ZONES = ['Europe/Berlin', 'GMT+0900', '+05:30', 'Tokyo Standard Time', 'nowhere', 17] as const;

/** Draws an event of one of few people, with few message and order ids, so that repeats are frequent. */
export function drawEvent(draw: Draw): DrawnEvent {
  const { person, part: ids } = drawIds(draw);
  const messageId = `m-${draw.whole(0, 30)}`;
  const time = drawTime(draw);
  const { order, name, properties, reason } = drawContent(draw);
  const event = Object.fromEntries(
    draw.shuffle(
      Object.entries({
        ...{ type: 'track', messageId, event: name, properties },
        ...ids.fields,
        ...time.fields,
        ...(draw.chance(0.3) ? { context: { timezone: draw.pick(ZONES) } } : {}),
      }),
    ),
  );
  const rejected = ids.reason ?? time.reason ?? reason;
  if (rejected !== undefined || person === undefined)
    return { event, expected: { kind: 'rejected', reason: rejected ?? 'missing_id' } };
  return { event, expected: { kind: 'accepted', person, messageId, ...(order && { order }) } };
}

function drawIds(draw: Draw): { person: Person | undefined; part: Part } {
  const userId = `u${draw.whole(1, 3)}`;
  const anonymousId = `a${draw.whole(1, 2)}`;
  const kind = draw.whole(0, 19);
  if (kind === 0) return { person: undefined, part: { fields: {}, reason: 'missing_id' } };
  if (kind === 1)
    return { person: undefined, part: { fields: { userId: draw.pick(PLACEHOLDERS) }, reason: 'placeholder_id' } };
  if (kind === 2) return { person: undefined, part: { fields: { userId: { id: userId } }, reason: 'invalid_id' } };
  if (kind < 6) return { person: { anonymousId }, part: { fields: { userId: draw.pick(PLACEHOLDERS), anonymousId } } };
  if (kind < 8) return { person: { anonymousId }, part: { fields: { userId: '', anonymousId } } };
  if (kind < 10) return { person: { userId: '42' }, part: { fields: { userId: 42 } } };
  if (kind < 12) return { person: { userId }, part: { fields: { userId, anonymousId: draw.pick(PLACEHOLDERS) } } };
  return { person: { userId }, part: { fields: draw.chance(0.5) ? { userId, anonymousId } : { userId } } };
}

function drawTime(draw: Draw): Part {
  const sentAt = draw.chance(0.2) ? { sentAt: draw.pick(BAD_SENT_AT) } : {};
  if (draw.chance(0.1)) return { fields: { ...sentAt, timestamp: draw.pick(BAD_TIMES) }, reason: 'invalid_timestamp' };
  return { fields: { ...sentAt, ...(draw.chance(0.2) ? {} : { timestamp: draw.pick(GOOD_TIMES) }) } };
}

interface Content {
  readonly name: string;
  readonly properties: Record<string, unknown>;
  readonly order?: { readonly id: string | undefined; readonly worth: number };
  readonly reason?: string;
}

function drawContent(draw: Draw): Content {
  const junk = drawJunk(draw);
  // What would be money of an order may be anything elsewhere.
  if (draw.chance(0.3)) return { name: draw.pick(OTHER_NAMES), properties: { ...junk, total: draw.pick(BAD_AMOUNTS) } };
  const field = draw.pick(AMOUNT_FIELDS);
  if (draw.chance(0.1))
    return {
      name: 'Order Completed',
      properties: { ...junk, [field]: draw.pick(BAD_AMOUNTS) },
      reason: 'invalid_revenue',
    };
  const number = draw.whole(1, 12);
  const id = draw.chance(0.8) ? `o-${number}` : undefined;
  // An order has one worth and one currency, whoever says it how often.
  const amount = (id === undefined ? draw.whole(1, 1000) : number * 8) / 4;
  const currency = CURRENCIES[(id === undefined ? draw.whole(0, 100) : number) % CURRENCIES.length];
  const rate = currency === undefined ? 1 : RATES[currency.toUpperCase()];
  const later = AMOUNT_FIELDS.slice(AMOUNT_FIELDS.indexOf(field) + 1);
  const properties = {
    ...junk,
    ...(id === undefined ? {} : { order_id: id }),
    ...(currency === undefined ? {} : { currency }),
    [field]: draw.chance(0.3) ? String(amount) : amount,
    // Fields after the one that is read are not.
    ...(later.length > 0 && draw.chance(0.3) ? { [later[0] as string]: draw.pick(BAD_AMOUNTS) } : {}),
  };
  return { name: 'Order Completed', properties, order: { id, worth: rate === undefined ? 0 : amount * rate } };
}

function drawJunk(draw: Draw): Record<string, unknown> {
  if (draw.chance(0.6)) return {};
  const junk = [null, '', '\u202e', -0, 1e308, [], { a: { b: [1, 'x', null] } }, '__proto__', '🎉'] as const;
  const keys = ['note', 'constructor', 'toString', 'ключ', ' ', 'a.b', '$set'] as const;
  return Object.fromEntries(draw.list(draw.whole(1, 4), () => [draw.pick(keys), draw.pick(junk)]));
}
