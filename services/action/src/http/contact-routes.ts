import { toParts } from '@perennial/identity';
import { AppError, must } from '@perennial/kernel';
import type { ReadStates } from '@perennial/keyed-processor';
import { EMPTY_HISTORY } from '@perennial/policy';
import { type Pseudonymizer, parseUserId } from '@perennial/privacy';
import { addOperation, type FastifyInstance } from '@perennial/service-host';
import type { ActionState } from '../domain/action-state.js';
import { toCause } from '../domain/step.js';
import type { StoredAction } from '../joins.js';
import { getContacts } from './operations.js';

/** Forwarders on the way to a profile; each is stronger than the one before, so paths are short. */
const HOPS_MAX = 16;

export interface ContactRouteDeps {
  readonly readStates: ReadStates<StoredAction>;
  readonly pseudonymizer: Pseudonymizer;
}

/** What action keeps of a profile, current, from Redis: the ledger has only what was published. */
export function addContactRoutes(server: FastifyInstance, { readStates, pseudonymizer }: ContactRouteDeps): void {
  addOperation(server, getContacts, async ({ path }) => {
    const userId = parseUserId(path.userId);
    const { pending, contacts, lastUsedAtMs, signals } =
      (await follow(readStates, pseudonymizer.toProfileKey({ userId })))?.history ?? EMPTY_HISTORY;
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

/** The contacts of a profile that has joined another one are those of that one. */
async function follow(readStates: ReadStates<StoredAction>, profileKey: string): Promise<ActionState | undefined> {
  let key = profileKey;
  for (let hops = 0; hops <= HOPS_MAX; hops++) {
    const { node, profile } = toParts(must((await readStates([key]))[0], 'a read').state);
    if (node.kind !== 'forwarder') return profile;
    key = node.to.key;
  }
  throw new AppError('contract_violation', `a profile forwards over more than ${HOPS_MAX} others`);
}

function toTimes(timesMs: Readonly<Record<string, number>>): Record<string, string> {
  return Object.fromEntries(Object.entries(timesMs).map(([name, atMs]) => [name, toTime(atMs)]));
}

function toTime(atMs: number): string {
  return new Date(atMs).toISOString();
}
