import { toDurationText } from './describe.js';
import { listChannels } from './options.js';
import type { Cap, Channel, DimensionValue, Policy, Strategy } from './policy.js';

/** One difference between two policies; a value is undefined on the side that lacks it. */
export interface PolicyChange {
  readonly part: 'policy' | 'category' | 'channel' | 'strategy' | 'experiment';
  /** Of that part; '' for the policy itself. */
  readonly name: string;
  readonly change: 'added' | 'removed' | 'changed';
  /** Of a changed part, its keys as they are written in the file. */
  readonly keys: ReadonlyArray<{ readonly key: string; readonly before: string; readonly after: string }>;
}

/** What the second policy adds, removes and has otherwise, in the order of the file. */
export function comparePolicies(before: Policy, after: Policy): readonly PolicyChange[] {
  const whole = compareKeys(toPolicyTexts(before), toPolicyTexts(after));
  const categories = (policy: Policy) => mapValues(policy.categories, ({ caps }) => ({ caps: toCaps(caps) }));
  const channels = (policy: Policy) => mapValues(policy.channels, toChannelTexts);
  const strategies = (policy: Policy) => mapValues(policy.strategies, toStrategyTexts);
  return [
    ...(whole.length === 0 ? [] : [{ part: 'policy', name: '', change: 'changed', keys: whole } as const]),
    ...compareParts('category', categories(before), categories(after)),
    ...compareParts('channel', channels(before), channels(after)),
    ...compareParts('strategy', strategies(before), strategies(after)),
    ...compareParts('experiment', toExperiments(before), toExperiments(after)),
  ];
}

type Texts = Readonly<Record<string, string>>;

function compareParts(
  part: PolicyChange['part'],
  before: ReadonlyMap<string, Texts>,
  after: ReadonlyMap<string, Texts>,
): PolicyChange[] {
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((name): PolicyChange[] => {
    const [old, next] = [before.get(name), after.get(name)];
    if (old === undefined) return [{ part, name, change: 'added', keys: [] }];
    if (next === undefined) return [{ part, name, change: 'removed', keys: [] }];
    const keys = compareKeys(old, next);
    return keys.length === 0 ? [] : [{ part, name, change: 'changed', keys }];
  });
}

function compareKeys(before: Texts, after: Texts): PolicyChange['keys'] {
  return Object.keys(before)
    .filter((key) => before[key] !== after[key])
    .map((key) => ({ key, before: before[key] ?? '', after: after[key] ?? '' }));
}

function toPolicyTexts(policy: Policy): Texts {
  const { quietHours, doNotDisturb } = policy;
  return {
    name: policy.name,
    timeZone: policy.timeZone,
    quietHours: quietHours === undefined ? 'none' : `${quietHours.from} to ${quietHours.to} min`,
    holdout: `${policy.holdoutShare} ${policy.salt}`.trim(),
    caps: toCaps(policy.caps),
    choice: policy.choice,
    doNotDisturb: toText(doNotDisturb.map((rule) => ({ ...rule, categories: [...(rule.categories ?? [])] }))),
  };
}

function toChannelTexts({ caps, ignoresQuietHours, permission }: Channel): Texts {
  return { caps: toCaps(caps), ignoresQuietHours: String(ignoresQuietHours), permission: toText(permission) };
}

function toStrategyTexts(strategy: Strategy): Texts {
  return {
    description: strategy.description,
    stages: [...strategy.stages].join(', '),
    on: strategy.on,
    channel: listChannels(strategy).join(', '),
    options: toOptionsText(strategy),
    optionChoice: strategy.options?.choice ?? 'none',
    category: strategy.category ?? 'none',
    topic: strategy.topic ?? 'none',
    purpose: strategy.purpose ?? 'none',
    languages: strategy.languages === undefined ? 'all' : [...strategy.languages].join(', '),
    caps: toCaps(strategy.caps),
    template: strategy.template,
    parameters: toText(strategy.parameters),
    cost: String(strategy.cost),
    benefit: String(strategy.benefit),
    cooldown: toDurationText(strategy.cooldownMs),
    when: strategy.when?.source ?? 'always',
    expiry: toDurationText(strategy.expiryMs),
    priority: String(strategy.priority),
    weight: String(strategy.weight),
    holdout: String(strategy.holdoutShare),
  };
}

function toOptionsText({ options }: Strategy): string {
  const ofDimensions = [...(options?.dimensions ?? [])].map(
    ([name, values]) => `${name}: ${[...values].map(toValueText).join(', ')}`,
  );
  return ofDimensions.join('; ') || 'none';
}

function toValueText([name, { parameters, cost }]: readonly [string, DimensionValue]): string {
  const said = Object.keys(parameters).length === 0 ? '' : ` ${toText(parameters)}`;
  return `${name}${said}${cost === 0 ? '' : ` for ${cost}`}`;
}

/** By name; each stands once for every strategy that it decides about. */
function toExperiments({ experimentOf }: Policy): ReadonlyMap<string, Texts> {
  return mapValues(
    new Map([...experimentOf.values()].map((experiment) => [experiment.name, experiment])),
    (experiment) => {
      const { name: _name, arms, ...keys } = experiment;
      const texts = Object.entries(keys).map(([key, value]) => [key, toText(value)]);
      const ofArms = arms.map((arm) => ({ ...arm, strategies: [...arm.strategies] }));
      return { ...Object.fromEntries(texts), arms: toText(ofArms) } as Texts;
    },
  );
}

function toCaps(caps: readonly Cap[]): string {
  return caps.map(({ max, windowMs }) => `${max} in ${toDurationText(windowMs)}`).join(', ') || 'none';
}

function toText(value: unknown): string {
  return JSON.stringify(value);
}

function mapValues<T, U>(map: ReadonlyMap<string, T>, toValue: (value: T) => U): ReadonlyMap<string, U> {
  return new Map([...map].map(([name, value]) => [name, toValue(value)]));
}
