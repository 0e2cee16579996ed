import { defineState } from '@perennial/contracts';
import type { AttributeValue } from '@perennial/feature-engine';
import type { ActionLife, CauseEvent, Contact, ContactHistory, PendingAction, Permissions } from '@perennial/policy';

/** State of a profile. Profiles without any contact, waiting action, watched event or permission have no state. */
export interface ActionState {
  readonly history: ContactHistory;
  /** As of the last record that was kept: needed when a timer releases waiting actions. */
  readonly stage: string;
  readonly subject: Buffer;
  readonly timeZone: string;
  readonly modelHash: string;
  /** Kept only while an action waits. */
  readonly facts: ProfileFacts | undefined;
  /** The newest actions and what came of them; absent for none. */
  readonly lives?: readonly ActionLife[] | undefined;
  /** What the person allows, as others report it; absent where nobody said anything. */
  readonly permissions?: Permissions | undefined;
}

/** What conditions read about a profile, as of its last score. */
export interface ProfileFacts {
  readonly asOfMs: number;
  /** The spec that defines the order of `values`. */
  readonly specHash: string;
  /** NaN for no value. */
  readonly values: readonly number[];
  /** What conditions read besides, in the order of that spec; empty where the profile has none. */
  readonly attributes: readonly AttributeValue[];
  readonly stageSinceMs: number;
  readonly lastEventAtMs: number;
  /** In the order of the heads of the manifest that `modelHash` names; absent until a model is in force. */
  readonly scores: readonly number[] | undefined;
  /** The segments that it is in; absent while none are in force. */
  readonly segments: readonly string[] | undefined;
}

const VERSION = 6;
/** Its contacts had no strategy and no category, and no signals were kept. */
const VERSION_WITHOUT_SIGNALS = 5;
/** Its facts had no segments. */
const VERSION_WITHOUT_SEGMENTS = 4;
/** Its scores were three numbers without the hash of their manifest. */
const NAMELESS_SCORES_VERSION = 3;
/** Versions 1 and 2 were JSON from the first byte: `[`. */
const JSON_VERSION = '['.charCodeAt(0);

type Stored = readonly [
  stage: string,
  subject: string,
  timeZone: string,
  modelHash: string,
  contacts: readonly StoredContact[],
  lastUsedAtMs: Readonly<Record<string, number>>,
  pending: readonly (readonly [
    strategy: string,
    causeId: string,
    causedAtMs: number,
    dueAtMs: number,
    expiresAtMs: number,
    reasons: readonly string[],
    event: CauseEvent | null,
    /** Absent for none, as its propensity is. */
    option?: string,
    propensity?: number,
  ])[],
  facts: StoredFacts | null,
  /** Null, or absent, for none; so are those behind it. */
  signals?: Signals | null,
  lives?: readonly StoredLife[] | null,
  permissions?: StoredPermissions | null,
];

type StoredLife = readonly [
  actionId: string,
  strategy: string,
  channel: string,
  decidedAtMs: number,
  expiresAtMs: number,
  outcomes: number,
];

type StoredPermissions = readonly [
  contact: readonly (readonly [channel: string, topic: string, state: string, atMs: number])[],
  purposes: readonly (readonly [purpose: string, granted: boolean, atMs: number])[],
  obstacles: readonly (readonly [channel: string, kind: 'bounced' | 'complained', atMs: number])[],
];

/** Without its last elements where the contact lacks them. */
type StoredContact = readonly [atMs: number, channel: string, strategy?: string | null, category?: string];

type StoredFacts = readonly [
  asOfMs: number,
  specHash: string,
  values: readonly (number | null)[],
  stageSinceMs: number,
  lastEventAtMs: number,
  scores: readonly number[] | null,
  /** Absent in versions before 5. */
  segments?: readonly string[] | null,
  /** Absent for none. */
  attributes?: readonly AttributeValue[],
];

export const actionStates = defineState({
  name: 'action state',
  current: VERSION,
  versions: {
    [JSON_VERSION]: (bytes) => withoutScores(decode(toWithoutVersion(JSON.parse(bytes.toString('utf8')) as unknown[]))),
    [NAMELESS_SCORES_VERSION]: (bytes) => withoutScores(decode(JSON.parse(bytes.toString('utf8', 1)) as Stored)),
    [VERSION_WITHOUT_SEGMENTS]: (bytes) => decode(JSON.parse(bytes.toString('utf8', 1)) as Stored),
    [VERSION_WITHOUT_SIGNALS]: (bytes) => decode(JSON.parse(bytes.toString('utf8', 1)) as Stored),
    [VERSION]: (bytes) => decode(JSON.parse(bytes.toString('utf8', 1)) as Stored),
  },
  encode,
});

/** JSON without names: a few hundred bytes for a profile with a handful of contacts. */
function encode(state: ActionState): Buffer {
  const { history } = state;
  const { signals } = history;
  const stored: Stored = [
    state.stage,
    state.subject.toString('base64'),
    state.timeZone,
    state.modelHash,
    history.contacts.map(toStoredContact),
    history.lastUsedAtMs,
    history.pending.map((pending) => [
      pending.strategy,
      pending.causeId,
      pending.causedAtMs,
      pending.dueAtMs,
      pending.expiresAtMs,
      pending.reasons,
      pending.event ?? null,
      ...(pending.option === undefined ? ([] as const) : ([pending.option.name, pending.option.propensity] as const)),
    ]),
    state.facts === undefined ? null : toStoredFacts(state.facts),
    ...withoutLast([
      signals === undefined ? null : ([signals.eventsAtMs, signals.grants] as const),
      state.lives?.map(toStoredLife) ?? null,
      state.permissions === undefined ? null : toStoredPermissions(state.permissions),
    ]),
  ];
  return Buffer.from(String.fromCharCode(VERSION) + JSON.stringify(stored));
}

type Signals = readonly [eventsAtMs: Readonly<Record<string, number>>, grants: Readonly<Record<string, number>>];
type Last = readonly [Signals | null, readonly StoredLife[] | null, StoredPermissions | null];

/** A state without the newer parts has the bytes that it had before there were any. */
function withoutLast(parts: Last): Last | readonly [Last[0], Last[1]] | readonly [Last[0]] | readonly [] {
  const [signals, lives, permissions] = parts;
  if (permissions !== null) return parts;
  if (lives !== null) return [signals, lives];
  return signals === null ? [] : [signals];
}

function toStoredLife(life: ActionLife): StoredLife {
  return [life.actionId, life.strategy, life.channel, life.decidedAtMs, life.expiresAtMs, life.outcomes];
}

function toLife([actionId, strategy, channel, decidedAtMs, expiresAtMs, outcomes]: StoredLife): ActionLife {
  return { actionId, strategy, channel, decidedAtMs, expiresAtMs, outcomes };
}

function toStoredPermissions({ contact, purposes, obstacles }: Permissions): StoredPermissions {
  return [
    contact.map(({ channel, topic, state, atMs }) => [channel, topic, state, atMs]),
    purposes.map(({ purpose, granted, atMs }) => [purpose, granted, atMs]),
    obstacles.map(({ channel, kind, atMs }) => [channel, kind, atMs]),
  ];
}

function toPermissions([contact, purposes, obstacles]: StoredPermissions): Permissions {
  return {
    contact: contact.map(([channel, topic, state, atMs]) => ({ channel, topic, state, atMs })),
    purposes: purposes.map(([purpose, granted, atMs]) => ({ purpose, granted, atMs })),
    obstacles: obstacles.map(([channel, kind, atMs]) => ({ channel, kind, atMs })),
  };
}

function toStoredContact({ atMs, channel, strategy, category }: Contact): StoredContact {
  if (category !== undefined) return [atMs, channel, strategy ?? null, category];
  return strategy === undefined ? [atMs, channel] : [atMs, channel, strategy];
}

function toContact([atMs, channel, strategy, category]: StoredContact): Contact {
  return { atMs, channel, strategy: strategy ?? undefined, category };
}

/** In version 2 the first element is the version. */
function toWithoutVersion([version, ...stored]: readonly unknown[]): Stored {
  if (version !== 2) throw new Error(`it is of version ${version}`);
  return stored as unknown as Stored;
}

/** The context without scores, since their model is unknown; the next record brings new ones. */
function withoutScores(state: ActionState): ActionState {
  return state.facts === undefined ? state : { ...state, facts: { ...state.facts, scores: undefined } };
}

function decode(stored: Stored): ActionState {
  const [stage, subject, timeZone, modelHash, contacts, lastUsedAtMs, pending, facts, signals, lives, permissions] =
    stored;
  return {
    stage,
    subject: Buffer.from(subject, 'base64'),
    timeZone,
    modelHash,
    history: {
      contacts: contacts.map(toContact),
      lastUsedAtMs,
      pending: pending.map(toPending),
      ...(signals == null ? {} : { signals: { eventsAtMs: signals[0], grants: signals[1] } }),
    },
    facts: facts === null ? undefined : toFacts(facts),
    ...(lives == null ? {} : { lives: lives.map(toLife) }),
    ...(permissions == null ? {} : { permissions: toPermissions(permissions) }),
  };
}

function toPending(stored: Stored[6][number]): PendingAction {
  const [strategy, causeId, causedAtMs, dueAtMs, expiresAtMs, reasons, event, option, propensity] = stored;
  return {
    strategy,
    causeId,
    causedAtMs,
    dueAtMs,
    expiresAtMs,
    reasons,
    event: event ?? undefined,
    ...(option === undefined || propensity === undefined ? {} : { option: { name: option, propensity } }),
  };
}

function toStoredFacts(facts: ProfileFacts): StoredFacts {
  const { asOfMs, specHash, values, attributes, stageSinceMs, lastEventAtMs, scores, segments } = facts;
  const numbers = values.map((value) => (Number.isNaN(value) ? null : value));
  const more: [] | [readonly AttributeValue[]] = attributes.length === 0 ? [] : [attributes];
  return [asOfMs, specHash, numbers, stageSinceMs, lastEventAtMs, scores ?? null, segments ?? null, ...more];
}

function toFacts(stored: StoredFacts): ProfileFacts {
  const [asOfMs, specHash, numbers, stageSinceMs, lastEventAtMs, scores, segments, attributes = []] = stored;
  return {
    asOfMs,
    specHash,
    values: numbers.map((value) => value ?? Number.NaN),
    attributes,
    stageSinceMs,
    lastEventAtMs,
    scores: scores ?? undefined,
    segments: segments ?? undefined,
  };
}

/** When the first waiting action is due. */
export function toTimerAtMs(state: ActionState): number | undefined {
  return state.history.pending[0]?.dueAtMs;
}
