import type { AcceptedEvent, HandOver, ProfileRef } from '@perennial/contracts';
import type { Draw } from '../../draw.js';
import {
  type Content,
  devices,
  everyone,
  others,
  type SentRecord,
  TIME_MS,
  toEvent,
  toRecord,
  users,
} from './people.js';

const KEY_CHARS_MAX = 100_000;
const MEMBERS_MAX = 2_000;
const NUMBERS = [0, 1, 15, 16, 17, 239, 240, 241, 2 ** 31, 2 ** 32 - 1] as const;

/**
 * An event as ingest accepts it: of a device, or of a user who names a device or who it was. `hasTies`: by rules with more
 * kinds, which devices name too.
 */
export function drawEvent(
  draw: Draw,
  { messageId, hasTies }: { readonly messageId: string; readonly hasTies: boolean },
): SentRecord & { readonly self: ProfileRef } {
  const self = draw.pick(everyone);
  const named: AcceptedEvent['namedIds'] = [];
  if (users.includes(self)) {
    if (draw.chance(0.4)) named.push({ profile: draw.pick(devices), alias: false, ...(hasTies && { tie: true }) });
    if (draw.chance(0.2)) named.push({ profile: draw.pick(users), alias: true });
  }
  if (hasTies && draw.chance(0.5)) named.push({ profile: draw.pick(others), alias: false, tie: true });
  return { self, ...toRecord(self, { $case: 'event', value: toEvent(self, { messageId, namedIds: named }) }) };
}

/** What nobody who keeps the rules writes: made-up records about joins, valid ones under other keys, damaged bytes. */
export function drawHostile(draw: Draw, states: readonly Buffer[]): SentRecord {
  const self = drawRef(draw);
  const record = draw.pick([
    drawJoin,
    drawLink,
    drawHandOver,
    drawForwarded,
    drawNaming,
    drawOddEvent,
    drawStep,
    drawChange,
    drawAccount,
  ])(draw, self, states);
  const { key, value } = toRecord(self, record);
  return {
    key: draw.chance(0.2) ? draw.pick(everyone).key : key,
    // A handed-over state with other numbers in it cannot be distinguished from a true one: its bytes have no checksum of their own.
    value: record.$case !== 'handOver' && draw.chance(0.3) ? damage(value, draw) : value,
  };
}

function drawJoin(draw: Draw, self: ProfileRef): Content {
  return { $case: 'join', value: { self, target: drawOptionalRef(draw), ...drawRule(draw) } };
}

function drawLink(draw: Draw, self: ProfileRef): Content {
  return { $case: 'link', value: { self, other: drawOptionalRef(draw), tie: draw.chance(0.5) } };
}

function drawHandOver(draw: Draw, self: ProfileRef, states: readonly Buffer[]): Content {
  const count = draw.chance(0.2) ? draw.whole(100, MEMBERS_MAX) : draw.whole(0, 3);
  const members: HandOver['members'] = draw.list(count, (i) => ({
    key: draw.chance(0.5) ? `member-${i}` : drawRef(draw).key,
    joined: draw.chance(0.8),
    atMs: draw.chance(0.1) ? draw.pick(NUMBERS) : TIME_MS,
  }));
  const state = states.length === 0 || draw.chance(0.2) ? drawBytes(draw) : draw.pick(states);
  return { $case: 'handOver', value: { self, from: drawRef(draw).key, members, state } };
}

function drawForwarded(draw: Draw, self: ProfileRef): Content {
  const forwardedTo = draw.chance(0.7) ? self : drawRef(draw);
  return { $case: 'event', value: { ...toEvent(self, { messageId: drawMessageId(draw) }), forwardedTo } };
}

function drawNaming(draw: Draw, self: ProfileRef): Content {
  const count = draw.chance(0.2) ? draw.whole(100, MEMBERS_MAX) : draw.whole(1, 3);
  const namedIds = draw.list(count, () => ({ profile: drawOptionalRef(draw), ...drawRule(draw) }));
  return { $case: 'event', value: toEvent(self, { messageId: drawMessageId(draw), namedIds }) };
}

/** A step of an unmerge that no ledger began. */
function drawStep(draw: Draw, self: ProfileRef): Content {
  const steps = [
    'begin',
    'leave',
    'part',
    'left',
    'abort',
    'give_up',
    'given_up',
    'clear',
    'withdraw',
    'done',
    'interrupted',
    'failed',
    'x',
  ];
  const leaver = draw.chance(0.4) ? self : drawOptionalRef(draw);
  const hash = draw.pick(['', 'ab'.repeat(32), '../x']);
  const numbers = { number: draw.whole(0, 3), attempt: draw.whole(0, 3) };
  const reason = draw.chance(0.8) ? undefined : 'x'.repeat(draw.whole(0, 600));
  return {
    $case: 'unmerge',
    value: { self, step: draw.pick(steps), ...numbers, leaver, other: drawRef(draw).key, hash, reason },
  };
}

/** Under the key of a profile, where no change belongs. */
function drawChange(draw: Draw): Content {
  const [weaker, stronger] = [drawOptionalRef(draw), drawOptionalRef(draw)];
  const kind = draw.pick(['merge', 'unmerge', 'x']);
  return { $case: 'identityChange', value: { id: 'c', kind, weaker, stronger, by: 'x', reason: '', atMs: TIME_MS } };
}

function drawAccount(draw: Draw, self: ProfileRef): Content {
  const memberKey = drawRef(draw).key;
  if (draw.chance(0.5)) return { $case: 'accountLeft', value: { self, memberKey } };
  const names = draw.list(draw.whole(0, 3), (i) => `name-${i}`);
  return {
    $case: 'accountKnown',
    value: { self, accountKey: memberKey, asOfMs: draw.pick(NUMBERS), names, attributes: [] },
  };
}

/** Values that ingest lets nobody send. */
function drawOddEvent(draw: Draw, self: ProfileRef): Content {
  const number = () => draw.pick([TIME_MS, TIME_MS, -1, -(2 ** 53) + 1, 8.64e15, 2 ** 53 - 1]);
  const text = () => draw.pick(['', 'x', 'x'.repeat(300), '\ud800', '{', 'UTC']);
  const value = {
    messageId: drawMessageId(draw),
    timestampMs: number(),
    receivedAtMs: number(),
    timeZone: text(),
    currency: text(),
    name: draw.pick([text(), 'Order Completed']),
    amount: draw.pick([undefined, Number.NaN, Number.POSITIVE_INFINITY, -1e308, 10]),
    propertiesJson: Buffer.from(draw.pick(['', '{}', 'null', '[]', '{"products":7}', text()])),
    traits: draw.chance(0.5)
      ? undefined
      : { accountId: text(), account: [], own: [{ name: text(), value: drawTraitValue(draw) }] },
  };
  return { $case: 'event', value: toEvent(self, value) };
}

function drawTraitValue(draw: Draw): NonNullable<AcceptedEvent['traits']>['own'][number]['value'] {
  return draw.pick([
    undefined,
    { $case: 'text', value: 'x'.repeat(draw.whole(0, 2_000)) },
    { $case: 'number', value: draw.pick([Number.NaN, Number.POSITIVE_INFINITY, -0, 1e308]) },
    { $case: 'flag', value: true },
    { $case: 'timeMs', value: draw.pick([0, -1, 2 ** 53 - 1, 8.64e15 + 1]) },
  ] as const);
}

/** By which rule, or by two. */
function drawRule(draw: Draw): { readonly alias: boolean; readonly tie?: boolean } {
  return { alias: draw.chance(0.5), ...(draw.chance(0.5) && { tie: draw.chance(0.7) }) };
}

function drawOptionalRef(draw: Draw): ProfileRef | undefined {
  return draw.chance(0.05) ? undefined : drawRef(draw);
}

/** Somebody known, with a strength that may not be its own; nobody; or a name of any length. */
function drawRef(draw: Draw): ProfileRef {
  const known = draw.pick(draw.chance(0.3) ? others : everyone);
  if (draw.chance(0.4)) return known;
  if (draw.chance(0.7)) return { ...known, strength: draw.pick(NUMBERS) };
  const key = draw.chance(0.5) ? '' : 'k'.repeat(draw.whole(1, KEY_CHARS_MAX));
  const subject = draw.chance(0.3) ? Buffer.alloc(draw.whole(0, KEY_CHARS_MAX)) : known.subject;
  return { key: draw.chance(0.3) ? known.key : key, strength: draw.pick(NUMBERS), subject };
}

function drawMessageId(draw: Draw): string {
  return draw.chance(0.1) ? 'm'.repeat(draw.whole(0, KEY_CHARS_MAX)) : `forged-${draw.whole(0, 99)}`;
}

function drawBytes(draw: Draw): Buffer {
  return Buffer.alloc(draw.chance(0.1) ? draw.whole(0, KEY_CHARS_MAX) : draw.whole(0, 60), draw.whole(0, 255));
}

function damage(value: Buffer, draw: Draw): Buffer {
  const damaged = Buffer.from(value);
  for (let count = draw.whole(1, 4); count > 0 && damaged.length > 0; count--)
    damaged[draw.whole(0, damaged.length - 1)] = draw.whole(0, 255);
  return draw.chance(0.3) ? damaged.subarray(0, draw.whole(0, damaged.length)) : damaged;
}
