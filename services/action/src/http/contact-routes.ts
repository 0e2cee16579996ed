import type { ReadStates } from '@perennial/keyed-processor';
import { EMPTY_HISTORY } from '@perennial/policy';
import { type Pseudonymizer, parseUserId } from '@perennial/privacy';
import { addOperation, type FastifyInstance } from '@perennial/service-host';
import { toCause } from '../domain/step.js';
import type { StoredAction } from '../joins.js';
import { getContacts } from './operations.js';
import { readProfile } from './read-profile.js';

export interface ContactRouteDeps {
  readonly readStates: ReadStates<StoredAction>;
  readonly pseudonymizer: Pseudonymizer;
}

/** What action keeps of a profile, current, from Redis: the ledger has only what was published. */
export function addContactRoutes(server: FastifyInstance, { readStates, pseudonymizer }: ContactRouteDeps): void {
  addOperation(server, getContacts, async ({ path }) => {
    const userId = parseUserId(path.userId);
    const { pending, contacts, lastUsedAtMs, signals } =
      (await readProfile(readStates, pseudonymizer.toProfileKey({ userId }))).profile?.history ?? EMPTY_HISTORY;
    return {
      userId,
      waiting: pending.map(({ strategy, causeId, causedAtMs, dueAtMs, expiresAtMs, reasons }) => ({
        strategy,
        cause: toCause({ causeId }),
        causedAt: toTime(causedAtMs),
        dueAt: toTime(dueAtMs),
        expiresAt: toTime(expiresAtMs),
        reasons: [...reasons],
      })),
      contacts: contacts.map(({ atMs, channel, strategy, category }) => ({
        at: toTime(atMs),
        channel,
        ...(strategy === undefined ? {} : { strategy }),
        ...(category === undefined ? {} : { category }),
      })),
      lastUsed: toTimes(lastUsedAtMs),
      events: toTimes(signals?.eventsAtMs ?? {}),
      grants: { ...signals?.grants },
    };
  });
}

function toTimes(timesMs: Readonly<Record<string, number>>): Record<string, string> {
  return Object.fromEntries(Object.entries(timesMs).map(([name, atMs]) => [name, toTime(atMs)]));
}

function toTime(atMs: number): string {
  return new Date(atMs).toISOString();
}
