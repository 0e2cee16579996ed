import type { AcceptedEvent } from '@perennial/contracts';
import { ID_STRENGTHS } from '@perennial/identity';
import type { Pseudonymizer } from '@perennial/privacy';
import type { NormalisedEvent } from './domain/event-shape.js';

type NamedIds = AcceptedEvent['namedIds'];

/**
 * The ids that an event names beside the one that it is keyed by, as pseudonyms: the device of a user, who an alias was
 * before, and the ids of other kinds that the rules in force read. An alias may have been a device or a user: both readings
 * are named, and the one that nobody had costs next to nothing.
 */
export function toNamedIds(
  event: Pick<NormalisedEvent, 'userId' | 'anonymousId' | 'previousId' | 'named'>,
  pseudonymizer: Pseudonymizer,
): NamedIds {
  return [...toKeyIds(event, pseudonymizer), ...toOtherIds(event, pseudonymizer)];
}

function toKeyIds(
  { userId, anonymousId, previousId, named: others }: Parameters<typeof toNamedIds>[0],
  pseudonymizer: Pseudonymizer,
): NamedIds {
  // Without a user the device is the profile itself.
  if (userId === undefined) return [];
  const devices = new Set([anonymousId, previousId].filter((id) => id !== undefined));
  // Where other kinds join, a device may belong to one of them already: a claim would end there.
  const byRule = others === undefined ? {} : { tie: true };
  const named: NamedIds = [...devices].map((id) => ({
    profile: {
      key: pseudonymizer.toProfileKey({ anonymousId: id }),
      strength: ID_STRENGTHS.anonymous,
      subject: pseudonymizer.seal(id),
    },
    alias: false,
    ...byRule,
  }));
  if (previousId === undefined || previousId === userId) return named;
  const key = pseudonymizer.toProfileKey({ userId: previousId });
  named.push({
    profile: { key, strength: ID_STRENGTHS.user, subject: pseudonymizer.seal(previousId) },
    alias: true,
  });
  return named;
}

function toOtherIds({ named = [] }: Parameters<typeof toNamedIds>[0], pseudonymizer: Pseudonymizer): NamedIds {
  return named.map(({ kind: { name, strength }, value }) => ({
    profile: {
      key: pseudonymizer.toProfileKey({ kind: name, id: value }),
      strength,
      subject: pseudonymizer.seal(value),
    },
    alias: false,
    tie: true,
  }));
}
