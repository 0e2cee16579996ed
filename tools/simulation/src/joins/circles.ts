import { ID_STRENGTHS, type ProfileRef } from '@perennial/identity';
import type { Draw } from '../draw.js';

/** Of people who have several ids, or share one; the numbers are places in the lists of a circle's users. */
interface CircleKind {
  readonly users: number;
  readonly devices: number;
  readonly aliases?: ReadonlyArray<readonly [user: number, previous: number]>;
  /** An e-mail that all of it name: only where the rules in force have such a kind. */
  readonly mail?: true;
  /** What may be parted again, so that it is plain who has what afterwards: a device from a user, or its two users. */
  readonly parted?: 'device' | 'users';
}

const KINDS: readonly CircleKind[] = [
  // A visitor who becomes known, on two devices.
  { users: 1, devices: 2, parted: 'device' },
  // Two users on one device: they stay two.
  { users: 2, devices: 1, parted: 'device' },
  // A chain, in which each says who it was before.
  {
    users: 4,
    devices: 1,
    aliases: [
      [1, 0],
      [2, 1],
      [3, 2],
    ],
  },
  // A ring.
  {
    users: 3,
    devices: 0,
    aliases: [
      [0, 1],
      [1, 2],
      [2, 0],
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
  { users: 1, devices: 2, mail: true },
  { users: 2, devices: 2, mail: true },
  { users: 0, devices: 2, mail: true },
];

export const MAIL_STRENGTH = 200;
const CIRCLES = { from: 1, to: 3 };
const SHARES = { onDevice: 0.35, named: 0.4, alias: 0.2, mail: 0.35 };

export interface Circle extends Pick<CircleKind, 'parted'> {
  readonly users: readonly ProfileRef[];
  readonly devices: readonly ProfileRef[];
  readonly mail: ProfileRef | undefined;
  readonly aliases: ReadonlyArray<readonly [user: ProfileRef, previous: ProfileRef]>;
}

/** An id, and those that its event names. */
export interface Said {
  readonly self: ProfileRef;
  readonly device?: ProfileRef | undefined;
  readonly mail?: ProfileRef | undefined;
  readonly alias?: ProfileRef | undefined;
}

/** A few; the keys are drawn, and so is which of two users is the stronger one. */
export function drawCircles(draw: Draw, { hasMails }: { readonly hasMails: boolean }): Circle[] {
  const kinds = KINDS.filter(({ mail }) => hasMails || mail === undefined);
  return Array.from({ length: draw.whole(CIRCLES) }, (_, circle) => {
    const kind = draw.pick(kinds);
    const toRef = (name: string, strength: number): ProfileRef => {
      const key = `${draw.whole({ from: 100, to: 999 })}-${name}-${circle}`;
      return { key, strength, subject: Buffer.from(`sealed ${key}`) };
    };
    const users = Array.from({ length: kind.users }, (__, i) => toRef(`user${i}`, ID_STRENGTHS.user));
    const devices = Array.from({ length: kind.devices }, (__, i) => toRef(`device${i}`, ID_STRENGTHS.anonymous));
    const mail = kind.mail && toRef('mail', MAIL_STRENGTH);
    const aliases = (kind.aliases ?? []).map(
      ([user, previous]) => [users[user], users[previous]] as [ProfileRef, ProfileRef],
    );
    return { users, devices, mail, aliases, ...(kind.parted && { parted: kind.parted }) };
  });
}

/** What one event of a circle says. */
export function drawSaid(draw: Draw, { users, devices, mail, aliases }: Circle): Said {
  const named = mail !== undefined && draw.chance(SHARES.mail) ? mail : undefined;
  if (users.length === 0 || (devices.length > 0 && draw.chance(SHARES.onDevice)))
    return { self: draw.pick(devices), mail: named };
  if (aliases.length > 0 && draw.chance(SHARES.alias)) {
    const [self, alias] = draw.pick(aliases);
    return { self, alias };
  }
  const device = devices.length > 0 && draw.chance(SHARES.named) ? draw.pick(devices) : undefined;
  return { self: draw.pick(users), device, mail: named };
}
