import {
  condition,
  duration,
  flag,
  integer,
  jsonObject,
  list,
  located,
  named,
  number,
  object,
  oneOf,
  optional,
  reference,
  type Shape,
  type ShapeValue,
  text,
  timeOfDay,
  type VariableSet,
} from '@perennial/expressions';
import { createExperiments } from './experiments.js';
import { CONTACTS_MAX } from './history.js';
import { createOptions, PARAMETERS_LENGTH_MAX } from './options.js';

const STRATEGIES_MAX = 64;
const CHANNELS_MAX = 16;
const CATEGORIES_MAX = 16;
const DISTURBANCES_MAX = 16;
const EVENTS_MAX = 8;

const DAY_MS = 86_400_000;
const CAP_WINDOW_MAX_MS = 366 * DAY_MS;
const NAME = { pattern: /^[a-z][a-z0-9_-]{0,62}$/, patternHint: 'lower-case letters, digits, _ and -, a letter first' };

/** A `policy.yaml` as it is written. */
export type PolicyFile = ShapeValue<ReturnType<typeof createShape>>;
export type StrategyFile = PolicyFile['strategies'] extends ReadonlyMap<string, infer S> ? S : never;
export type ChannelFile = PolicyFile['channels'] extends ReadonlyMap<string, infer C> ? C : never;

/** The form of a `policy.yaml`; conditions read these variables. */
export function createShape(variables: VariableSet) {
  const share = optional(number({ min: 0, max: 1 }), 0);
  return object({
    version: integer({ min: 1, max: 1 }),
    name: optional(text({ lengthMax: 100 }), 'policy'),
    timeZone: optional(located(text({ lengthMax: 64 })), undefined),
    quietHours: optional(object({ from: timeOfDay(), to: timeOfDay() }), undefined),
    holdout: optional(object({ share, salt: text({ lengthMax: 100 }) }), undefined),
    caps: createCaps(),
    choice: optional(oneOf(['priority', 'weighted']), 'priority' as const),
    categories: optional(
      named(object({ caps: createCaps() }), { ...NAME, itemsMax: CATEGORIES_MAX, declares: 'category' }),
      undefined,
    ),
    doNotDisturb: optional(list(createDisturbance(), { itemsMax: DISTURBANCES_MAX }), []),
    channels: named(createChannel(), { ...NAME, itemsMax: CHANNELS_MAX, declares: 'channel' }),
    strategies: named(createStrategy(variables, share), {
      ...NAME,
      itemsMax: STRATEGIES_MAX,
      declares: 'strategy',
    }),
    experiments: createExperiments(NAME),
  });
}

function createCaps() {
  // A cap counts kept contacts, and at most CONTACTS_MAX are kept.
  const cap = object({
    max: integer({ min: 0, max: CONTACTS_MAX }),
    per: duration({ minMs: 1_000, maxMs: CAP_WINDOW_MAX_MS }),
  });
  return optional(list(cap, { itemsMax: 4 }), []);
}

function createEvents() {
  return optional(list(text({ lengthMax: 200 }), { itemsMin: 1, itemsMax: EVENTS_MAX }), undefined);
}

function createDisturbance() {
  return object({
    after: text({ lengthMax: 200 }),
    until: optional(text({ lengthMax: 200 }), undefined),
    for: duration({ minMs: 60_000, maxMs: CAP_WINDOW_MAX_MS }),
    categories: optional(list(reference('category'), { itemsMin: 1, itemsMax: CATEGORIES_MAX }), undefined),
  });
}

function createChannel() {
  const permission = object({
    grants: optional(oneOf(['one_time']), undefined),
    grantedBy: createEvents(),
    replyWindow: optional(duration({ minMs: 60_000, maxMs: CAP_WINDOW_MAX_MS }), undefined),
    openedBy: createEvents(),
    perWindow: optional(integer({ min: 1, max: CONTACTS_MAX }), undefined),
    perDay: optional(integer({ min: 1, max: CONTACTS_MAX }), undefined),
  });
  return object({
    caps: createCaps(),
    ignoresQuietHours: optional(flag(), false),
    permission: optional(permission, undefined),
  });
}

function createLanguage() {
  return text({
    lengthMax: 3,
    pattern: /^[a-z]{2,3}$/,
    patternHint: 'a language such as en or zh, without a country,',
  });
}

function createStrategy(variables: VariableSet, share: Shape<number>) {
  return object({
    description: optional(text({ lengthMax: 500 }), ''),
    stages: list(reference('stage'), { itemsMin: 1, itemsMax: 32 }),
    on: oneOf(['stage_entered', 'scored']),
    // Needed unless the options have a channel each.
    channel: optional(located(reference('channel')), undefined),
    ...createOptions(NAME),
    category: optional(located(reference('category')), undefined),
    topic: optional(text({ lengthMax: 64 }), undefined),
    purpose: optional(text({ lengthMax: 64 }), undefined),
    languages: optional(located(list(createLanguage(), { itemsMin: 1, itemsMax: 32 })), undefined),
    caps: createCaps(),
    template: text({ lengthMax: 200 }),
    parameters: optional(jsonObject({ lengthMax: PARAMETERS_LENGTH_MAX }), {}),
    cost: optional(number({ min: 0, max: 1e9 }), 0),
    benefit: optional(number({ min: 0, max: 1e9 }), 0),
    cooldown: duration({ minMs: 0 }),
    when: optional(condition(variables), undefined),
    expiry: optional(duration({ minMs: 60_000 }), 3 * DAY_MS),
    priority: optional(integer({ min: -1_000, max: 1_000 }), 0),
    weight: optional(number({ min: 0, max: 1e6 }), 1),
    holdout: share,
  });
}
