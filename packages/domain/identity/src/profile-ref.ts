/** A profile as a record names it to another one. */
export interface ProfileRef {
  /** The pseudonym. */
  readonly key: string;
  /** Strength of the kind of its id, one of `ID_STRENGTHS`. */
  readonly strength: number;
  /** The external id, sealed. */
  readonly subject: Buffer;
}

/**
 * How strong each kind of id is. Forwarders point from the weaker to the stronger id, which is why there are no cycles:
 * a number here is never changed, since records and states hold it. Other kinds get numbers between these.
 */
export const ID_STRENGTHS = { anonymous: 16, user: 240 } as const;

/** Strengths that a kind of `identity.yaml` may have are between those of devices and users. */
export function isStrength(strength: number): boolean {
  return Number.isInteger(strength) && strength >= ID_STRENGTHS.anonymous && strength <= ID_STRENGTHS.user;
}

/** True for a user or a device; ids of other kinds are addresses and numbers, which are shown to nobody. */
export function isShown({ strength }: Pick<ProfileRef, 'strength'>): boolean {
  return strength === ID_STRENGTHS.user || strength === ID_STRENGTHS.anonymous;
}

/** The sealed id by which a profile without events is addressed; empty where its id is one that is shown to nobody. */
export function toAddress(ref: ProfileRef): Buffer {
  return isShown(ref) ? ref.subject : Buffer.alloc(0);
}

/** A total order of profiles, the same everywhere and for ever: by strength, then the smaller key is the stronger one. */
export function isStronger(a: ProfileRef, b: ProfileRef): boolean {
  if (a.strength !== b.strength) return a.strength > b.strength;
  return a.key < b.key;
}
