import { AcceptedRecord, FeatureRecord, HEADERS } from '@perennial/contracts';
import { ECOMMERCE_FEATURES, FeatureSpecs } from '@perennial/feature-engine';
import { type AcceptedEntry, type Person, recountPeople } from '../people.js';
import type { RestingWorld } from '../subject.js';
import { type JoinDefinition, readAllStored } from './stored-profiles.js';

const SPEC = new FeatureSpecs(ECOMMERCE_FEATURES).initial;

/** The first thing that is not as a recount of the accepted events has it; undefined when all is. */
export function findMisjoins(world: RestingWorld, definition: JoinDefinition): string | undefined {
  const entries = readEntries(world);
  const { people, problems } = recountPeople(entries);
  if (problems.length > 0) return problems[0];
  const stored = readAllStored(world, definition);
  for (const person of people) {
    const found = checkPerson(person, stored) ?? checkMembers(person, { entries, stored });
    if (found !== undefined) return found;
  }
  return checkAnnounced(world, people, entries);
}

type Stored = ReturnType<typeof readAllStored>;

/** Each of a person's events is counted once, in one profile. */
function checkPerson({ root, keys, messageIds, orders, revenueCents }: Person, stored: Stored): string | undefined {
  for (const key of keys) {
    const kept = stored.get(key);
    if (kept?.held !== undefined) return `${key} holds records, and no unmerge is under way`;
    if (key === root) continue;
    if (kept?.node.kind === 'forwarder' && kept.profile === undefined) continue;
    if (kept !== undefined) return `${key} is a profile beside ${root}, with which it is one person`;
  }
  const kept = stored.get(root);
  if (kept?.node.kind === 'forwarder')
    return `${root} forwards to ${kept.node.to.key}, and is the strongest of its person`;
  const engine = kept?.profile?.engine;
  const values = engine === undefined ? [] : SPEC.vector(engine, engine.asOfMs).values;
  const read = (name: string) => values[SPEC.names.indexOf(name)] ?? 0;
  const found = {
    events: read('events_count_all'),
    orders: read('orders_count_all'),
    cents: Math.round(read('orders_revenue_sum_all') * 100),
  };
  const wanted = { events: messageIds.size, orders, cents: revenueCents };
  if (JSON.stringify(found) === JSON.stringify(wanted)) return undefined;
  return `${root} of ${keys.length} ids counts ${JSON.stringify(found)}, not ${JSON.stringify(wanted)}`;
}

/** Whoever has handed something over is known to the profile that has it now: what it is parted from, or filled with, goes by that. */
function checkMembers(
  { root, keys }: Person,
  { entries, stored }: { readonly entries: readonly AcceptedEntry[]; readonly stored: Stored },
): string | undefined {
  const node = stored.get(root)?.node;
  const members = new Set(node?.kind === 'root' ? node.members.map(({ key }) => key) : []);
  const gave = new Set(entries.flatMap(({ record }) => (record.$case === 'handOver' ? [record.value.from] : [])));
  const lost = keys.find((key) => key !== root && gave.has(key) && !members.has(key));
  return lost === undefined ? undefined : `${root} does not know that ${lost} has joined it`;
}

/**
 * Downstream each event is heard of once; of one that comes to a key while it leaves, and whose copy is dropped by the one
 * that is left, only the vector is (ADR 28).
 */
function checkAnnounced(
  world: RestingWorld,
  people: readonly Person[],
  entries: readonly AcceptedEntry[],
): string | undefined {
  const marked = entries.flatMap(({ record }) =>
    record.$case === 'event' && record.value.leaving !== undefined ? [record.value.messageId] : [],
  );
  const heard = new Map<string, string>();
  const [, topic = ''] = world.topics;
  for (let partition = 0; partition < world.partitions; partition++) {
    for (const { value, headers } of world.records({ topic, partition })) {
      const { record } = FeatureRecord.decode(value ?? Buffer.alloc(0));
      const id = record?.$case === 'updated' ? record.value.event?.messageId : undefined;
      if (id === undefined) continue;
      const position = headers[HEADERS.position] ?? '';
      if ((heard.get(id) ?? position) !== position) return `${id} is announced at ${heard.get(id)} and at ${position}`;
      heard.set(id, position);
    }
  }
  const excused = new Set(marked);
  const missing = people.flatMap(({ messageIds }) => [...messageIds]).find((id) => !heard.has(id) && !excused.has(id));
  return missing === undefined ? undefined : `${missing} was never announced`;
}

/** What can be read of the input topic, each partition in its order. */
function readEntries(world: RestingWorld): AcceptedEntry[] {
  const [topic = ''] = world.topics;
  return Array.from({ length: world.partitions }, (_, partition) => world.records({ topic, partition }))
    .flat()
    .flatMap(({ key, value, headers }) => {
      const record = decode(value);
      if (key === null || record === undefined) return [];
      return [{ key: String(key), position: headers[HEADERS.position], record }];
    });
}

function decode(value: Buffer | null) {
  try {
    return AcceptedRecord.decode(value ?? Buffer.alloc(0)).record;
  } catch {
    return undefined;
  }
}
