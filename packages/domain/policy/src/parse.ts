import {
  condition,
  declareProfileVariables,
  duration,
  findNearest,
  flag,
  integer,
  jsonObject,
  list,
  located,
  named,
  number,
  type OnEvaluationError,
  object,
  oneOf,
  optional,
  type Parsed,
  type ProfileVariables,
  parseYaml,
  reference,
  type ShapeValue,
  text,
  timeOfDay,
  type VariableSet,
  type YamlContext,
} from '@perennial/expressions';
import { CONTACTS_MAX } from './history.js';
import type { Cap, Channel, Policy, Strategy } from './policy.js';
import { isTimeZone } from './time-zone.js';

const STRATEGIES_MAX = 64;
const CHANNELS_MAX = 16;
const PARAMETERS_LENGTH_MAX = 4_096;

const DAY_MS = 86_400_000;
const CAP_WINDOW_MAX_MS = 366 * DAY_MS;
const NAME = { pattern: /^[a-z][a-z0-9_-]{0,62}$/, patternHint: 'lower-case letters, digits, _ and -, a letter first' };

/**
 * Parses a `policy.yaml` (format: README of this package). Returns the policy, or every problem with file, line, column
 * and the nearest valid word. Names of stages, heads and segments are checked when they are given.
 */
export function parsePolicy(
  yamlText: string,
  options: {
    fileName: string;
    featureNames: readonly string[];
    stages?: Iterable<string> | undefined;
    attributes?: ProfileVariables['attributes'];
    headNames?: Iterable<string> | undefined;
    segmentNames?: readonly string[] | undefined;
    onEvaluationError?: OnEvaluationError | undefined;
  },
): Parsed<Policy> {
  const variables = declareProfileVariables(options.featureNames, {
    ...options,
    segmentNames: options.segmentNames ?? 'any',
  });
  const parsed = parseYaml(yamlText, createShape(variables), {
    fileName: options.fileName,
    ...(options.stages === undefined ? {} : { names: { stage: options.stages } }),
    check: checkTimes,
  });
  return parsed.ok ? { ok: true, value: toPolicy(parsed.value, variables) } : parsed;
}

type File = ShapeValue<ReturnType<typeof createShape>>;
type StrategyFile = File['strategies'] extends ReadonlyMap<string, infer S> ? S : never;

function createShape(variables: VariableSet) {
  const share = optional(number({ min: 0, max: 1 }), 0);
  // A cap counts kept contacts, and at most CONTACTS_MAX are kept.
  const cap = object({
    max: integer({ min: 0, max: CONTACTS_MAX }),
    per: duration({ minMs: 1_000, maxMs: CAP_WINDOW_MAX_MS }),
  });
  const caps = optional(list(cap, { itemsMax: 4 }), []);
  const strategy = object({
    description: optional(text({ lengthMax: 500 }), ''),
    stages: list(reference('stage'), { itemsMin: 1, itemsMax: 32 }),
    on: oneOf(['stage_entered', 'scored']),
    channel: reference('channel'),
    template: text({ lengthMax: 200 }),
    parameters: optional(jsonObject({ lengthMax: PARAMETERS_LENGTH_MAX }), {}),
    cost: optional(number({ min: 0, max: 1e9 }), 0),
    cooldown: duration({ minMs: 0 }),
    when: optional(condition(variables), undefined),
    expiry: optional(duration({ minMs: 60_000 }), 3 * DAY_MS),
    priority: optional(integer({ min: -1_000, max: 1_000 }), 0),
    weight: optional(number({ min: 0, max: 1e6 }), 1),
    holdout: share,
  });
  return object({
    version: integer({ min: 1, max: 1 }),
    name: optional(text({ lengthMax: 100 }), 'policy'),
    timeZone: optional(located(text({ lengthMax: 64 })), undefined),
    quietHours: optional(object({ from: timeOfDay(), to: timeOfDay() }), undefined),
    holdout: optional(object({ share, salt: text({ lengthMax: 100 }) }), undefined),
    caps,
    choice: optional(oneOf(['priority', 'weighted']), 'priority' as const),
    channels: named(object({ caps, ignoresQuietHours: optional(flag(), false) }), {
      ...NAME,
      itemsMax: CHANNELS_MAX,
      declares: 'channel',
    }),
    strategies: named(strategy, { ...NAME, itemsMax: STRATEGIES_MAX }),
  });
}

function checkTimes(file: File, report: YamlContext['report']): void {
  const zone = file.timeZone?.value ?? 'UTC';
  if (file.timeZone !== undefined && !isTimeZone(zone)) {
    report(file.timeZone.place, `"${zone}" is not a time zone such as Europe/Berlin`, () => findZone(zone));
  }
  if (file.quietHours !== undefined && file.quietHours.from === file.quietHours.to) {
    report(file.quietHours.place, 'quiet hours that end when they begin are none; leave them out');
  }
}

function findZone(name: string): string | undefined {
  return findNearest(name, ['UTC', ...Intl.supportedValuesOf('timeZone')]);
}

function toPolicy(file: File, variables: VariableSet): Policy {
  const strategies = new Map([...file.strategies].map(([name, strategy]) => [name, toStrategy(name, strategy)]));
  const byStage = new Map<string, Strategy[]>();
  for (const strategy of strategies.values()) {
    for (const stage of strategy.stages) byStage.set(stage, [...(byStage.get(stage) ?? []), strategy]);
  }
  const channels = [...file.channels].map(([name, channel]): [string, Channel] => [
    name,
    { name, caps: channel.caps.map(toCap), ignoresQuietHours: channel.ignoresQuietHours },
  ]);
  return {
    name: file.name,
    timeZone: file.timeZone?.value ?? 'UTC',
    quietHours: file.quietHours === undefined ? undefined : { from: file.quietHours.from, to: file.quietHours.to },
    salt: file.holdout?.salt ?? '',
    holdoutShare: file.holdout?.share ?? 0,
    caps: file.caps.map(toCap),
    contactWindowMs: Math.max(
      0,
      ...[file, ...file.channels.values()].flatMap(({ caps }) => caps.map(({ per }) => per)),
    ),
    channels: new Map(channels),
    choice: file.choice,
    strategies,
    byStage,
    variables,
  };
}

function toCap(cap: { readonly max: number; readonly per: number }): Cap {
  return { max: cap.max, windowMs: cap.per };
}

function toStrategy(name: string, strategy: StrategyFile): Strategy {
  return {
    name,
    description: strategy.description,
    stages: new Set(strategy.stages),
    on: strategy.on,
    channel: strategy.channel,
    template: strategy.template,
    parameters: strategy.parameters,
    cost: strategy.cost,
    cooldownMs: strategy.cooldown,
    when: strategy.when,
    expiryMs: strategy.expiry,
    priority: strategy.priority,
    weight: strategy.weight,
    holdoutShare: strategy.holdout,
  };
}
