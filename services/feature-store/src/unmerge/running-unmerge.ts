import { AcceptedRecord, encodeMessage, toPartition, toTopic, type Unmerge } from '@perennial/contracts';
import { LEDGER_KEY, type Leaving, type LedgerEntry, type ProfileRef, toParts } from '@perennial/identity';
import { must } from '@perennial/kernel';
import type { ReadStates } from '@perennial/keyed-processor';
import type { StoredProfile } from '../identity/stored-profile.js';
import { followPath } from './follow-path.js';

/** The unmerge that is under way, as the states of its keys have it. */
export interface Running {
  readonly entry: LedgerEntry;
  /** Hash of the document of the one before. */
  readonly document: string;
  readonly path: readonly ProfileRef[];
  readonly leaving: Leaving;
  /** Offsets at which it began, of the key that leaves and of the profile that is left. */
  readonly began: readonly number[];
}

/** The ledger's unmerge, once both its ends know of it. Throws as `readStates` does. */
export async function findRunning(readStates: ReadStates<StoredProfile>): Promise<Running | undefined> {
  const { node } = toParts((await readStates([LEDGER_KEY]))[0]?.state);
  if (node.kind !== 'ledger') return undefined;
  const entry = node.entries.find(({ state }) => state === 'running');
  if (entry === undefined) return undefined;
  const { path, nodes } = await followPath(readStates, entry.change.weaker);
  const [first, last] = [nodes[0]?.leaving, nodes.at(-1)?.leaving];
  const isBoth = [first, last].every((one) => one?.number === entry.number && one.attempt === entry.attempt);
  if (!isBoth || path.length < 2) return undefined;
  const began = [first, last].map((one) => must(one, 'an unmerge').offset);
  return { entry, document: node.document, path, leaving: must(last, 'an unmerge'), began };
}

/**
 * False where an unmerge before this one has parted a key of the way: what the profile leaves now is another one than
 * somebody asked for.
 */
export function isAsked({ path, entry }: Running): boolean {
  return path.some(({ key }) => key === entry.change.stronger.key);
}

export interface UnmergeRecord {
  readonly topic: string;
  readonly partition: number;
  readonly key: Buffer;
  readonly value: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

/** A step for the profile that is left. */
export function toUnmergeRecord(
  { path, leaving, entry }: Running,
  step: Pick<Unmerge, 'step' | 'hash' | 'reason'>,
  { namespace, partitions }: { readonly namespace: string; readonly partitions: number },
): UnmergeRecord {
  const self = must(path.at(-1), 'the profile that is left');
  const { number, attempt } = leaving;
  const { weaker: leaver, stronger } = entry.change;
  const unmerge = { self, number, attempt, leaver, other: stronger.key, ...step };
  return {
    topic: toTopic(namespace, 'eventAccepted'),
    partition: toPartition(self.key, partitions),
    key: Buffer.from(self.key),
    value: encodeMessage(AcceptedRecord, { record: { $case: 'unmerge', value: unmerge } }),
    headers: {},
  };
}
