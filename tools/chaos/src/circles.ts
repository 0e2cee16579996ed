/** The ids that an event carries, and its type where that follows from them. */
export interface DrawnIds {
  readonly type?: 'alias';
  readonly userId?: string;
  readonly anonymousId?: string;
  readonly previousId?: string;
  /** Of a kind that ties: `IDENTITY_RULES` read it. */
  readonly email?: string;
}

/** Ids of one circle, and which of them it says are one person. */
interface CircleKind {
  readonly users: number;
  readonly devices: number;
  /** `userId` and `previousId` of each alias: places in the list of the users, or a device of that number. */
  readonly aliases: ReadonlyArray<readonly [user: number, previous: number | { readonly device: number }]>;
  /** All of it name one e-mail here and there. */
  readonly mail?: true;
  /** What may be parted again, so that it is plain who has what afterwards: a device from a user, or its two users. */
  readonly parted?: 'device' | 'users';
}

/** Two ids of one person, as the command takes them that parts them. */
export type IdPair = readonly [string, string];

const KINDS: readonly CircleKind[] = [
  // A visitor who becomes known, on two devices.
  { users: 1, devices: 2, aliases: [], parted: 'device' },
  // Two users on one device: they stay two.
  { users: 2, devices: 1, aliases: [], parted: 'device' },
  // Several in a row: each says who it was before.
  {
    users: 4,
    devices: 2,
    aliases: [
      [1, 0],
      [2, 1],
      [3, 2],
    ],
  },
  // Both directions at once, and the device belongs to either.
  {
    users: 2,
    devices: 1,
    aliases: [
      [0, 1],
      [1, 0],
    ],
    parted: 'users',
  },
  // An alias of what had been anonymous.
  { users: 1, devices: 2, aliases: [[0, { device: 0 }]] },
  // Who never becomes known.
  { users: 0, devices: 1, aliases: [] },
  // A visitor and a user who are known to be one by an e-mail alone, or two devices without a user.
  { users: 1, devices: 2, aliases: [], mail: true },
  { users: 0, devices: 2, aliases: [], mail: true },
  // Two users who share an address, which is one's.
  { users: 2, devices: 1, aliases: [], mail: true },
];

/** In force from the beginning: an e-mail ties, and so do devices then (ADR 35). */
export const IDENTITY_RULES = `version: 1
kinds:
  email: { strength: 200, read: [context.traits.email], normalise: email, hash: sha256 }
`;

const SHARES = { mail: 0.4, newCircle: 0.06, recent: 0.7, anonymous: 0.4, both: 0.35, alias: 0.15 };
/** Circles that most events are of, so that each has events before, amid and after its joins. */
const RECENT_CIRCLES = 30;
/** Half of the circles can be parted: those that still have events. */
const PARTED_CIRCLES = 20;

/** Ids of people who have several, or share one. The circles are small: none reaches the limit of a profile's members. */
export class Circles {
  readonly #random: () => number;
  readonly #kinds: CircleKind[] = [];
  /** Said next, so that both directions of an alias travel in one batch. */
  readonly #next: DrawnIds[] = [];

  constructor(random: () => number) {
    this.#random = random;
  }

  draw(): DrawnIds {
    const next = this.#next.shift();
    if (next !== undefined) return next;
    const circle = this.#pickCircle();
    const kind = this.#kinds[circle] as CircleKind;
    const share = this.#random();
    const named = kind.mail && this.#random() < SHARES.mail ? { email: `mail-${circle}@example.org` } : {};
    if (kind.users === 0 || (kind.devices > 0 && share < SHARES.anonymous))
      return { anonymousId: this.#pickDevice(circle), ...named };
    if (share < SHARES.anonymous + SHARES.both)
      return { userId: this.#pickUser(circle), anonymousId: this.#pickDevice(circle), ...named };
    if (kind.aliases.length === 0 || share > SHARES.anonymous + SHARES.both + SHARES.alias)
      return { userId: this.#pickUser(circle), ...named };
    const aliases = this.#toAliases(circle);
    // All of a circle at once, or one of them.
    if (this.#random() < 0.5) this.#next.push(...aliases.slice(1));
    return this.#next.length > 0 ? (aliases[0] as DrawnIds) : (aliases[this.#whole(aliases.length)] as DrawnIds);
  }

  /** Ids that may be one person by now; undefined while there are none. Has a chance of its own: the events stay the same. */
  drawPair(random: () => number): IdPair | undefined {
    const circles = this.#kinds.flatMap(({ parted }, circle) => (parted === undefined ? [] : [{ circle, parted }]));
    const recent = circles.slice(-PARTED_CIRCLES);
    const drawn = recent[Math.floor(random() * recent.length)];
    if (drawn === undefined) return undefined;
    const { circle, parted } = drawn;
    if (parted === 'users') return [toUser(circle, 0), toUser(circle, 1)];
    const { users, devices } = this.#kinds[circle] as CircleKind;
    const [user, device] = [Math.floor(random() * users), Math.floor(random() * devices)];
    return [toUser(circle, user), `anonymous:${toDevice(circle, device)}`];
  }

  #toAliases(circle: number): DrawnIds[] {
    return (this.#kinds[circle] as CircleKind).aliases.map(([user, previous]) => ({
      type: 'alias' as const,
      userId: toUser(circle, user),
      previousId: typeof previous === 'number' ? toUser(circle, previous) : toDevice(circle, previous.device),
    }));
  }

  #pickCircle(): number {
    const count = this.#kinds.length;
    if (count === 0 || this.#random() < SHARES.newCircle) {
      this.#kinds.push(KINDS[this.#whole(KINDS.length)] as CircleKind);
      return count;
    }
    if (this.#random() > SHARES.recent) return this.#whole(count);
    return count - 1 - this.#whole(Math.min(count, RECENT_CIRCLES));
  }

  #pickUser(circle: number): string {
    return toUser(circle, this.#whole((this.#kinds[circle] as CircleKind).users));
  }

  #pickDevice(circle: number): string {
    return toDevice(circle, this.#whole((this.#kinds[circle] as CircleKind).devices));
  }

  #whole(below: number): number {
    return Math.floor(this.#random() * below);
  }
}

function toUser(circle: number, number: number): string {
  return `person-${circle}-${number}`;
}

function toDevice(circle: number, number: number): string {
  return `device-${circle}-${number}`;
}
