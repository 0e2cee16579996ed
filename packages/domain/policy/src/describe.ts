import { listChannels } from './options.js';
import type { Cap, Channel, DoNotDisturb, Policy, Strategy } from './policy.js';

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
] as const;

/** A policy in sentences, for those who decide about it and do not read YAML: the rules first, then each strategy. */
export interface PolicyText {
  readonly rules: readonly string[];
  /** In the order of the file. */
  readonly strategies: ReadonlyArray<{ readonly name: string; readonly text: string }>;
}

export function describePolicy(policy: Policy): PolicyText {
  const rules = [
    `${policy.name}: ${policy.strategies.size} strategies over ${policy.channels.size} channels; one cause leads to one action at most.`,
    policy.choice === 'priority'
      ? 'Of several that could act, the one of the highest priority does, then the first in the file.'
      : 'Of several that could act, one is drawn by weight, always the same for the same cause.',
    ...(policy.holdoutShare > 0
      ? [`${toPercent(policy.holdoutShare)} of all profiles get nothing, for comparison.`]
      : []),
    ...(policy.quietHours === undefined
      ? []
      : [
          `From ${toClock(policy.quietHours.from)} to ${toClock(policy.quietHours.to)} in the user's own zone (${policy.timeZone} where it is unknown) an action waits until they end.`,
        ]),
    ...toCapRule('Over all channels', policy.caps),
    ...[...policy.categories].flatMap(([name, { caps }]) => toCapRule(`Over the category ${name}`, caps)),
    ...policy.doNotDisturb.map(describeDisturbance),
    ...[...policy.channels.values()].flatMap(describeChannel),
    ...[...new Set(policy.experimentOf.values())].map(
      ({ name, arms }) =>
        `The experiment ${name} compares ${toList(
          arms.map((arm) => arm.name),
          'and',
        )}.`,
    ),
  ];
  const strategies = [...policy.strategies.values()].map((strategy) => ({
    name: strategy.name,
    text: describeStrategy(strategy),
  }));
  return { rules, strategies };
}

function describeStrategy(strategy: Strategy): string {
  const stages = toList([...strategy.stages], 'or');
  const trigger = strategy.on === 'stage_entered' ? `When a profile becomes ${stages}` : `While a profile is ${stages}`;
  const condition = strategy.when === undefined ? '' : ` and ${strategy.when.source}`;
  const languages = strategy.languages === undefined ? '' : `, in ${toList([...strategy.languages], 'or')}`;
  const parameters = Object.entries(strategy.parameters).map(([key, value]) => `${key} ${JSON.stringify(value)}`);
  const sent = parameters.length === 0 ? '' : ` with ${toList(parameters, 'and')}`;
  const sentences = [
    ...(strategy.description === '' ? [] : [strategy.description]),
    `${trigger}${condition}, it sends "${strategy.template}" by ${toList(listChannels(strategy), 'or')}${sent}${languages}`,
    ...describeOptions(strategy),
    ...(strategy.cooldownMs === 0 ? [] : [`Once in ${toDurationText(strategy.cooldownMs)} for a profile`]),
    ...toCapRule('Of itself', strategy.caps).map((text) => text.slice(0, -1)),
    `Useful for ${toDurationText(strategy.expiryMs)}`,
    ...(isFree(strategy) && strategy.benefit === 0
      ? []
      : [
          `It costs ${toCosts(strategy)}${strategy.benefit === 0 ? '' : `, and is expected to bring ${strategy.benefit}`}`,
        ]),
    ...(strategy.holdoutShare === 0 ? [] : [`${toPercent(strategy.holdoutShare)} of profiles never get it`]),
  ];
  return sentences.map((sentence) => `${sentence}.`).join(' ');
}

function describeOptions({ options }: Strategy): string[] {
  if (options === undefined) return [];
  const { choice, dimensions, open } = options;
  const named = [...dimensions].map(([name, values]) => `${name} ${toList([...values.keys()], 'or')}`);
  const chosen =
    choice === 'fixed' ? 'the first of those that are open' : 'drawn from those that are open, each as likely';
  return [`In one of ${open.length} options (${named.join('; ')}), ${chosen}`];
}

/** What an action may cost: one figure, or from which to which. */
function toCosts({ cost, options }: Strategy): string {
  const costs = options?.open.map((option) => option.cost) ?? [cost];
  const [least, most] = [Math.min(...costs), Math.max(...costs)];
  return least === most ? String(least) : `${least} to ${most}`;
}

function isFree(strategy: Strategy): boolean {
  return toCosts(strategy) === '0';
}

function describeChannel({ name, caps, ignoresQuietHours, permission }: Channel): string[] {
  const { grantedBy, reply, perDay } = permission;
  return [
    ...toCapRule(`By ${name}`, caps),
    ...(ignoresQuietHours ? [`${name} ignores quiet hours.`] : []),
    ...(grantedBy === undefined
      ? []
      : [`${name} needs a grant for each contact, given by ${toList(grantedBy, 'or')}.`]),
    ...(reply === undefined
      ? []
      : [
          `${name} may be used for ${toDurationText(reply.windowMs)} after ${toList(reply.openedBy, 'or')}${reply.max === undefined ? '' : `, ${reply.max} times at most`}.`,
        ]),
    ...(perDay === undefined ? [] : [`${name} may be used ${perDay} times in a day of the user's zone.`]),
  ];
}

function describeDisturbance({ after, until, forMs, categories }: DoNotDisturb): string {
  const whom = categories === undefined ? 'nothing is sent' : `nothing of ${toList([...categories], 'or')} is sent`;
  const end = until === undefined ? '' : ` or until ${until}`;
  return `After ${after} ${whom} for ${toDurationText(forMs)}${end}.`;
}

function toCapRule(whose: string, caps: readonly Cap[]): string[] {
  if (caps.length === 0) return [];
  return [
    `${whose} at most ${toList(
      caps.map(({ max, windowMs }) => `${max} in ${toDurationText(windowMs)}`),
      'and',
    )}.`,
  ];
}

/** `36 h`, `1.5 h`, `7 d`: the largest unit that is not below one. */
export function toDurationText(durationMs: number): string {
  const [unit, unitMs] = UNITS.find(([, ms]) => durationMs >= ms && durationMs % ms === 0) ??
    UNITS.find(([, ms]) => durationMs >= ms) ?? ['s', 1_000];
  return `${durationMs / unitMs} ${unit}`;
}

function toList(words: readonly string[], conjunction: 'and' | 'or'): string {
  if (words.length <= 1) return words.join('');
  return `${words.slice(0, -1).join(', ')} ${conjunction} ${words.at(-1)}`;
}

function toPercent(share: number): string {
  return `${Number((share * 100).toFixed(3))} %`;
}

function toClock(minutes: number): string {
  const part = (value: number) => String(value).padStart(2, '0');
  return `${part(Math.floor(minutes / 60))}:${part(minutes % 60)}`;
}
