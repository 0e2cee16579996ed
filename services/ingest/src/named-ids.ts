import type { AcceptedEvent } from '@perennial/contracts';
import { ID_STRENGTHS } from '@perennial/identity';
import type { Pseudonymizer } from '@perennial/privacy';
import type { NormalisedEvent } from './domain/normalise.js';

/**
 * The ids that an event names beside the one that it is keyed by, as pseudonyms: the device of a user, and who an alias was
 * before. That may have been a device or a user: both readings are named, and the one that nobody had costs next to nothing.
 */
export function toNamedIds(
  { userId, anonymousId, previousId }: Pick<NormalisedEvent, 'userId' | 'anonymousId' | 'previousId'>,
  pseudonymizer: Pseudonymizer,
): AcceptedEvent['namedIds'] {
  // Without a user the device is the profile itself.
  if (userId === undefined) return [];
  const devices = new Set([anonymousId, previousId].filter((id) => id !== undefined));
  const named: AcceptedEvent['namedIds'] = [...devices].map((id) => ({
    profile: {
      key: pseudonymizer.toProfileKey({ anonymousId: id }),
      strength: ID_STRENGTHS.anonymous,
      subject: pseudonymizer.seal(id),
    },
    alias: false,
  }));
  if (previousId === undefined || previousId === userId) return named;
  const key = pseudonymizer.toProfileKey({ userId: previousId });
  named.push({
    profile: { key, strength: ID_STRENGTHS.user, subject: pseudonymizer.seal(previousId) },
    alias: true,
  });
  return named;
}
