import { isPersonalByName, type LeftOutReason, readTraits, type Trait, withoutTraits } from '@perennial/traits';
import type { PlanInForce } from './judge-by-plan.js';
import { isJsonObject, type JsonObject } from './parse-properties.js';

/** What an event says of its profile. */
export interface EventTraits {
  /** Only those that are declared not to be personal, by the source's plan or by their name. */
  readonly traits: readonly Trait[];
  /** Group that the profile joins. */
  readonly accountId: string | undefined;
  /** Of that group, likewise. */
  readonly accountTraits: readonly Trait[];
  readonly leftOut: readonly LeftOutReason[];
}

export const NO_TRAITS: EventTraits = { traits: [], accountId: undefined, accountTraits: [], leftOut: [] };

interface TraitSource {
  /** Of the call, such as `identify`. */
  readonly type: string;
  readonly context: unknown;
  readonly properties: JsonObject;
  readonly plan: PlanInForce | undefined;
}

/**
 * Traits of an event: of `identify` and of `context.traits` in any call, and the group of `group`. `properties` comes back without
 * the traits that are personal by the plan or by their name: they go no further.
 */
export function readEventTraits({ type, context, properties, plan }: TraitSource): {
  readonly said: EventTraits;
  readonly properties: JsonObject;
  readonly withheld: number;
} {
  const isPersonal = (call: 'identify' | 'group') => (names: readonly string[]) =>
    plan?.plan.isPersonalTrait(call, names) ?? isPersonalByName(names);
  const inContext = isJsonObject(context) && isJsonObject(context.traits) ? context.traits : undefined;
  const isCall = type === 'identify' || type === 'group';
  if (!isCall && inContext === undefined) return { said: NO_TRAITS, properties, withheld: 0 };

  const { kept, count: withheld } = isCall
    ? withoutTraits(properties, isPersonal(type))
    : { kept: properties, count: 0 };
  const isPlain = (call: 'identify' | 'group') => (names: readonly string[]) => isPersonal(call)(names) === false;
  const own = readTraits(type === 'identify' ? kept : {}, isPlain('identify'));
  const more = readTraits(inContext ?? {}, isPlain('identify'));
  const accountId = type === 'group' && typeof kept.groupId === 'string' ? kept.groupId : undefined;
  const { groupId: _, ...ofGroup } = kept;
  const account = readTraits(accountId === undefined ? {} : ofGroup, isPlain('group'));
  const names = new Set(own.traits.map(({ name }) => name));
  const said = {
    // What a call says itself wins over its context.
    traits: [...own.traits, ...more.traits.filter(({ name }) => !names.has(name))],
    accountId,
    accountTraits: account.traits,
    leftOut: [...own.leftOut, ...more.leftOut, ...account.leftOut],
  };
  return { said, properties: kept, withheld };
}
