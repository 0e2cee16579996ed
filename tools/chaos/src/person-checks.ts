import {
  type ActionDecided,
  FeatureRecord,
  type FeaturesUpdated,
  HEADERS,
  isAfter,
  parsePosition,
  type SegmentChanged,
} from '@perennial/contracts';
import { ECOMMERCE_FEATURES, FeatureSpecs, MESSAGE_IDS_MAX } from '@perennial/feature-engine';
import type { LogRecord } from '@perennial/kafka';
import type { People, Person } from '@perennial/simulation';

type Records = ReadonlyArray<Pick<LogRecord, 'key' | 'value' | 'headers'>>;

/** What outsiders saw, each topic's records in the order of their partitions. */
export interface Seen {
  readonly featureUpdated: Records;
  readonly actionDecided: Records;
  readonly segmentChanged: Records;
  /** Keys of profiles that have a stage in scoring. */
  readonly staged: ReadonlySet<string>;
}

const SPEC = new FeatureSpecs(ECOMMERCE_FEATURES).initial;

/** Where the platform has made more, fewer or other profiles than there are people, or has counted their events otherwise. */
export function findMisjoins(people: People, seen: Seen): string[] {
  const served = readServed(seen.featureUpdated);
  return [
    ...people.problems,
    ...people.people.flatMap((person) => checkPerson(person, served, seen.staged)),
    ...findRepeatedActions(people, seen.actionDecided),
    ...findSegmentProblems(people, seen),
  ];
}

type Served = ReadonlyMap<string, FeaturesUpdated | 'joined'>;

/** The last record of each profile, as a reader has it that drops repeats by their positions. */
function readServed(records: Records): Served {
  const served = new Map<string, FeaturesUpdated | 'joined'>();
  const highest = new Map<string, { readonly offset: number; readonly ordinal: number }>();
  for (const { key, value, headers } of records) {
    const record = decodeFeature(value);
    const position = parsePosition(headers[HEADERS.position]);
    // What chaos has written.
    if (record === undefined || position === undefined) continue;
    const last = highest.get(position.source);
    if (last !== undefined && !isAfter(position, last)) continue;
    highest.set(position.source, position);
    if (record.$case === 'updated') served.set(String(key), record.value);
    if (record.$case === 'joined') served.set(String(key), 'joined');
  }
  return served;
}

function decodeFeature(value: Buffer | null): FeatureRecord['record'] {
  try {
    return FeatureRecord.decode(value ?? Buffer.alloc(0)).record;
  } catch {
    return undefined;
  }
}

function checkPerson(person: Person, served: Served, staged: ReadonlySet<string>): string[] {
  const { root, keys } = person;
  const others = keys.filter((key) => key !== root);
  // Without any it was named by others, who are parted from it.
  const hasEvents = person.messageIds.size > 0;
  const problems = [
    ...others.flatMap((key) =>
      served.get(key) instanceof Object ? [`${key} was served after it joined ${root}`] : [],
    ),
    ...others.flatMap((key) => (staged.has(key) ? [`${key} has a stage beside ${root}, which it joined`] : [])),
    ...(staged.has(root) || !hasEvents ? [] : [`${root} has no stage`]),
  ];
  // Above it the guarantee to count each event once ends.
  if (person.messageIds.size > MESSAGE_IDS_MAX) return problems;
  const vector = served.get(root);
  if (!hasEvents && !(vector instanceof Object)) return problems;
  if (vector === undefined || vector === 'joined') return [...problems, `no features of ${root} were served`];
  const read = (name: string) => vector.values[SPEC.names.indexOf(name)] ?? Number.NaN;
  const found = {
    events: read('events_count_all'),
    orders: read('orders_count_all'),
    cents: Math.round(read('orders_revenue_sum_all') * 100),
  };
  const wanted = { events: person.messageIds.size, orders: person.orders, cents: person.revenueCents };
  if (JSON.stringify(found) !== JSON.stringify(wanted))
    problems.push(`${root} of ${keys.length} ids counts ${JSON.stringify(found)}, not ${JSON.stringify(wanted)}`);
  return problems;
}

/** At most one action for a person, a cause and a strategy, whatever ids it had. Causes of a stage are those of its profile. */
function findRepeatedActions({ personOf }: People, records: Records): string[] {
  const seen = new Map<string, string>();
  const problems: string[] = [];
  for (const { actionId, profileKey, strategy, cause } of readEdge<ActionDecided>(records)) {
    const message = cause.kind === 'score' ? cause.id.split('/')[1] : undefined;
    const person = message === undefined ? profileKey : (personOf.get(profileKey)?.root ?? profileKey);
    const reason = `${person} ${strategy} ${cause.kind} ${message ?? cause.id}`;
    const known = seen.get(reason);
    if (known !== undefined && known !== actionId) problems.push(`two actions for one cause: ${reason}`);
    seen.set(reason, actionId);
  }
  return problems;
}

/** Segments are entered and left in turn, and who has joined another is in none. */
function findSegmentProblems({ personOf }: People, { segmentChanged }: Seen): string[] {
  const members = new Map<string, boolean>();
  const problems: string[] = [];
  for (const { profileKey, segment, change } of readEdge<SegmentChanged>(segmentChanged)) {
    const name = `${profileKey} ${segment}`;
    const isMember = change === 'entered';
    if ((members.get(name) ?? false) === isMember) problems.push(`${profileKey} ${change} ${segment} twice in a row`);
    members.set(name, isMember);
  }
  for (const [name, isMember] of members) {
    const [profileKey = ''] = name.split(' ');
    const root = personOf.get(profileKey)?.root ?? profileKey;
    if (isMember && root !== profileKey) problems.push(`${name}: it is a member, and has joined ${root}`);
  }
  return problems;
}

/** The records of an edge as its consumers take them: each id once. */
function readEdge<T>(records: Records): T[] {
  const seen = new Set<string>();
  return records.flatMap(({ value, headers }) => {
    const id = headers.ce_id;
    if (id === undefined || value === null || seen.has(id)) return [];
    seen.add(id);
    return [JSON.parse(String(value)) as T];
  });
}
