import {
  declareProfileVariables,
  findNearest,
  type OnEvaluationError,
  type Parsed,
  type Place,
  type ProfileVariables,
  parseYaml,
  type VariableSet,
  type YamlContext,
} from '@perennial/expressions';
import { checkExperiments, toExperimentOf } from './experiments.js';
import { checkOptions, toOptions } from './options.js';
import type { Cap, Channel, Permission, Policy, Strategy, Watched } from './policy.js';
import { type ChannelFile, createShape, type PolicyFile, type StrategyFile } from './shape.js';
import { isTimeZone } from './time-zone.js';

/** Events of which a time is kept for each profile. */
const WATCHED_MAX = 64;
/** A local day has up to 25 hours. */
const LOCAL_DAY_MAX_MS = 26 * 3_600_000;

/** The names that a policy may use, as far as they are known. */
export interface ParseOptions {
  readonly fileName: string;
  readonly featureNames: readonly string[];
  readonly stages?: Iterable<string> | undefined;
  readonly attributes?: ProfileVariables['attributes'];
  readonly headNames?: Iterable<string> | undefined;
  readonly segmentNames?: readonly string[] | undefined;
  readonly onEvaluationError?: OnEvaluationError | undefined;
}

/**
 * Parses a `policy.yaml` (format: README of this package). Returns the policy, or every problem with file, line, column
 * and the nearest valid word. Names of stages, heads and segments are checked when they are given.
 */
export function parsePolicy(yamlText: string, options: ParseOptions): Parsed<Policy> {
  const variables = declareProfileVariables(options.featureNames, {
    ...options,
    segmentNames: options.segmentNames ?? 'any',
  });
  const parsed = parseYaml(yamlText, createShape(variables), {
    fileName: options.fileName,
    ...(options.stages === undefined ? {} : { names: { stage: options.stages } }),
    check: (file, report) => check(file, variables, report),
  });
  return parsed.ok ? { ok: true, value: toPolicy(parsed.value, variables) } : parsed;
}

function check(file: PolicyFile, variables: VariableSet, report: YamlContext['report']): void {
  checkTimes(file, report);
  checkExperiments(file, report);
  for (const channel of file.channels.values()) checkPermission(channel, report);
  const { size } = toWatched(file);
  if (size > WATCHED_MAX) report(file.place, `it watches ${size} events, at most ${WATCHED_MAX} are allowed`);
  for (const strategy of file.strategies.values()) {
    const { category, languages } = strategy;
    checkOptions(strategy, report);
    if (languages !== undefined && findLanguageSlot(variables) === undefined) {
      report(languages.place, 'languages need a trait "language" or "locale" in the feature spec');
    }
    if (category !== undefined && file.categories === undefined) {
      report(category.place, `the category "${category.value}" needs an entry under "categories", which is missing`);
    }
  }
}

function findLanguageSlot({ slots }: VariableSet): number | undefined {
  return slots.get('traits.language') ?? slots.get('traits.locale');
}

function checkTimes(file: PolicyFile, report: YamlContext['report']): void {
  const zone = file.timeZone?.value ?? 'UTC';
  if (file.timeZone !== undefined && !isTimeZone(zone)) {
    report(file.timeZone.place, `"${zone}" is not a time zone such as Europe/Berlin`, () => findZone(zone));
  }
  if (file.quietHours !== undefined && file.quietHours.from === file.quietHours.to) {
    report(file.quietHours.place, 'quiet hours that end when they begin are none; leave them out');
  }
}

/** Keys that need each other; one without the other would allow everything, or nothing for ever. */
function checkPermission({ permission }: ChannelFile, report: YamlContext['report']): void {
  if (permission === undefined) return;
  const { grants, grantedBy, replyWindow, openedBy, perWindow } = permission;
  const place: Place = permission.place;
  const pairs = [
    ['grants', grants, 'grantedBy', grantedBy],
    ['grantedBy', grantedBy, 'grants', grants],
    ['replyWindow', replyWindow, 'openedBy', openedBy],
    ['openedBy', openedBy, 'replyWindow', replyWindow],
    ['perWindow', perWindow, 'replyWindow', replyWindow],
  ] as const;
  for (const [key, value, other, needed] of pairs) {
    if (value !== undefined && needed === undefined) report(place, `"${key}" needs "${other}" beside it`);
  }
}

function findZone(name: string): string | undefined {
  return findNearest(name, ['UTC', ...Intl.supportedValuesOf('timeZone')]);
}

function toPolicy(file: PolicyFile, variables: VariableSet): Policy {
  const strategies = new Map([...file.strategies].map(([name, strategy]) => [name, toStrategy(name, strategy)]));
  const byStage = new Map<string, Strategy[]>();
  for (const strategy of strategies.values()) {
    for (const stage of strategy.stages) byStage.set(stage, [...(byStage.get(stage) ?? []), strategy]);
  }
  return {
    name: file.name,
    timeZone: file.timeZone?.value ?? 'UTC',
    quietHours: file.quietHours === undefined ? undefined : { from: file.quietHours.from, to: file.quietHours.to },
    salt: file.holdout?.salt ?? '',
    holdoutShare: file.holdout?.share ?? 0,
    caps: file.caps.map(toCap),
    categories: new Map([...(file.categories ?? [])].map(([name, { caps }]) => [name, { caps: caps.map(toCap) }])),
    doNotDisturb: file.doNotDisturb.map(({ after, until, for: forMs, categories }) => ({
      after,
      until,
      forMs,
      categories: categories && new Set(categories),
    })),
    contactWindowMs: toContactWindowMs(file),
    watched: toWatched(file),
    channels: new Map([...file.channels].map(([name, channel]) => [name, toChannel(name, channel)])),
    choice: file.choice,
    strategies,
    byStage,
    experimentOf: toExperimentOf(file.experiments),
    variables,
    languageSlot: findLanguageSlot(variables),
  };
}

function toContactWindowMs(file: PolicyFile): number {
  const capped = [file, ...file.channels.values(), ...file.strategies.values(), ...(file.categories?.values() ?? [])];
  const permissions = [...file.channels.values()].flatMap(({ permission }) => permission ?? []);
  return Math.max(
    0,
    ...capped.flatMap(({ caps }) => caps.map(({ per }) => per)),
    ...permissions.map(({ replyWindow }) => replyWindow ?? 0),
    ...permissions.map(({ perDay }) => (perDay === undefined ? 0 : LOCAL_DAY_MAX_MS)),
  );
}

/** Of each event how long its time matters, and which grants it gives. */
function toWatched(file: PolicyFile): ReadonlyMap<string, Watched> {
  const watched = new Map<string, Watched>();
  const watch = (name: string, more: { readonly keepMs?: number; readonly grant?: string }): void => {
    const { keepMs, grants } = watched.get(name) ?? { keepMs: 0, grants: [] };
    const added = more.grant === undefined ? [] : [more.grant];
    watched.set(name, { keepMs: Math.max(keepMs, more.keepMs ?? 0), grants: [...grants, ...added] });
  };
  for (const { after, until, for: keepMs } of file.doNotDisturb) {
    watch(after, { keepMs });
    if (until !== undefined) watch(until, { keepMs });
  }
  for (const [channel, { permission }] of file.channels) {
    for (const name of permission?.openedBy ?? []) watch(name, { keepMs: permission?.replyWindow ?? 0 });
    for (const name of new Set(permission?.grantedBy)) watch(name, { grant: channel });
  }
  return watched;
}

function toChannel(name: string, { caps, ignoresQuietHours, permission }: ChannelFile): Channel {
  return { name, caps: caps.map(toCap), ignoresQuietHours, permission: toPermission(permission) };
}

function toPermission(file: ChannelFile['permission']): Permission {
  const { grantedBy, replyWindow, openedBy, perWindow, perDay } = file ?? {};
  const reply =
    replyWindow === undefined ? undefined : { openedBy: openedBy ?? [], windowMs: replyWindow, max: perWindow };
  return { grantedBy, reply, perDay };
}

function toCap(cap: { readonly max: number; readonly per: number }): Cap {
  return { max: cap.max, windowMs: cap.per };
}

function toStrategy(name: string, strategy: StrategyFile): Strategy {
  const options = toOptions(strategy);
  return {
    name,
    description: strategy.description,
    stages: new Set(strategy.stages),
    on: strategy.on,
    channel: strategy.channel?.value ?? options?.open[0]?.channel ?? '',
    options,
    category: strategy.category?.value,
    topic: strategy.topic,
    purpose: strategy.purpose,
    languages: strategy.languages && new Set(strategy.languages.value),
    caps: strategy.caps.map(toCap),
    template: strategy.template,
    parameters: strategy.parameters,
    cost: strategy.cost,
    benefit: strategy.benefit,
    cooldownMs: strategy.cooldown,
    when: strategy.when,
    expiryMs: strategy.expiry,
    priority: strategy.priority,
    weight: strategy.weight,
    holdoutShare: strategy.holdout,
  };
}
