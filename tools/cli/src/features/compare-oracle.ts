import {
  type CompiledFeatures,
  DAY_MS,
  type EngineState,
  type FeatureEvent,
  HOUR_MS,
  isOracleEqual,
} from '@perennial/feature-engine';
import type { History } from '@perennial/history';
import { createSeededRandom } from '@perennial/kernel';
import type { AskOracle, OracleProfile } from './ask-oracle.js';

/** A value that the engine and the oracle give differently. */
export interface OracleMismatch {
  readonly userId: string;
  readonly at: string;
  readonly feature: string;
  readonly engine: number | null;
  readonly oracle: number | null;
}

export interface OracleResult {
  readonly file: string;
  readonly users: number;
  readonly events: number;
  /** Vectors compared: users by read times. */
  readonly vectors: number;
  readonly values: number;
  /** Of these, the values that are not null. */
  readonly known: number;
  readonly mismatches: number;
  readonly first: readonly OracleMismatch[];
}

interface User extends OracleProfile {
  readonly userId: string;
}

/** Users that the oracle is asked about at once: its input is some 5 MB of the largest file. */
const BATCH_USERS = 500;
const FIRST_MAX = 10;

/**
 * Folds users of a history one event after the other and compares every feature with the oracle: between two events in the
 * middle of a user's life, at the last event, within the hour, the month and up to 500 days after it. At each the state goes
 * through its bytes. Money is what the file says: no rates, since the oracle knows none.
 */
export async function compareWithOracle(
  history: History,
  {
    spec,
    askOracle,
    users: usersMax,
    seed,
  }: {
    readonly spec: CompiledFeatures;
    readonly askOracle: AskOracle;
    /** At most so many users, drawn by the seed; undefined for all. */
    readonly users: number | undefined;
    readonly seed: number;
  },
): Promise<OracleResult> {
  const random = createSeededRandom(seed);
  const chosen = chooseUsers(history, { usersMax, random });
  const count = { events: 0, vectors: 0, values: 0, known: 0, mismatches: 0 };
  const first: OracleMismatch[] = [];
  for (let start = 0; start < chosen.length; start += BATCH_USERS) {
    const users = chosen.slice(start, start + BATCH_USERS).map((indices) => readUser(history, { indices, random }));
    // The oracle computes meanwhile.
    const asked = askOracle(spec.definitions, users);
    const read = users.map((user) => readVectors(spec, user));
    const wanted = await asked;
    for (const [index, user] of users.entries()) {
      const vectors = read[index] ?? [];
      count.events += user.events.length;
      count.vectors += vectors.length;
      for (const values of vectors) count.values += values.length;
      for (const values of vectors) count.known += values.filter((value) => value !== null).length;
      const found = compareUser(spec, user, { vectors, wanted: wanted[index] ?? [] });
      count.mismatches += found.length;
      first.push(...found.slice(0, FIRST_MAX - first.length));
    }
  }
  return { file: history.fileName, users: chosen.length, ...count, first };
}

/** The indices of each user's events, in order of time; users as the file has them, or a sample of them. */
function chooseUsers(
  history: History,
  { usersMax, random }: { readonly usersMax: number | undefined; readonly random: () => number },
): number[][] {
  const all = new Map<number, number[]>();
  for (let index = 0; index < history.length; index += 1) {
    const user = history.userNumber(index);
    const indices = all.get(user) ?? [];
    all.set(user, indices);
    indices.push(index);
  }
  const users = [...all.values()];
  if (usersMax === undefined || users.length <= usersMax) return users;
  const ranked = users.map((indices) => ({ indices, rank: random() })).sort((a, b) => a.rank - b.rank);
  return ranked.slice(0, usersMax).map(({ indices }) => indices);
}

function readUser(
  history: History,
  { indices, random }: { readonly indices: readonly number[]; readonly random: () => number },
): User {
  const tracks = indices.map((index) => ({ ...history.event(index), timestampMs: history.timestampMs(index) }));
  const events = tracks.map(({ messageId, type, event: name, timestampMs, properties }) => {
    const { currency } = properties as { readonly currency?: unknown };
    const sent = typeof currency === 'string' ? { currency } : {};
    return { messageId, type, name, timestampMs, properties, ...sent };
  });
  return { userId: tracks[0]?.userId ?? '', events, timesMs: drawTimes(events, random) };
}

/** In ascending order. */
function drawTimes(events: readonly FeatureEvent[], random: () => number): number[] {
  const timeAt = (index: number) => events[index]?.timestampMs ?? 0;
  const lastMs = timeAt(events.length - 1);
  const middle = Math.floor(random() * (events.length - 1));
  const [fromMs, untilMs] = [timeAt(middle), timeAt(Math.min(middle + 1, events.length - 1))];
  const spans = [0, HOUR_MS, 30 * DAY_MS, 500 * DAY_MS];
  const later = spans.map((span) => lastMs + Math.floor(random() * span));
  return [fromMs + Math.floor(random() * (untilMs - fromMs)), ...later].sort((a, b) => a - b);
}

/** The engine's vectors at the user's times. */
function readVectors(spec: CompiledFeatures, { events, timesMs }: User): Array<ReadonlyArray<number | null>> {
  let state: EngineState = spec.empty;
  let next = 0;
  return timesMs.map((atMs) => {
    for (let event = events[next]; event !== undefined && event.timestampMs <= atMs; event = events[next]) {
      state = spec.apply(state, event).state;
      next += 1;
    }
    state = spec.decode(spec.encode(state));
    return spec.vector(state, atMs).values;
  });
}

function compareUser(
  spec: CompiledFeatures,
  { userId, timesMs }: User,
  read: {
    readonly vectors: ReadonlyArray<ReadonlyArray<number | null>>;
    readonly wanted: ReadonlyArray<ReadonlyArray<number | null>>;
  },
): OracleMismatch[] {
  return timesMs.flatMap((atMs, row) =>
    spec.definitions.flatMap(({ name, aggregation }, column) => {
      const [engine = null, oracle = null] = [read.vectors[row]?.[column], read.wanted[row]?.[column]];
      if (isOracleEqual(aggregation, engine, oracle)) return [];
      return [{ userId, at: new Date(atMs).toISOString(), feature: name, engine, oracle }];
    }),
  );
}
