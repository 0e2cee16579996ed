import { declareProfileVariables, findConstant, type Place, type Problem, parseYaml } from '@perennial/expressions';
import { listChannels } from './options.js';
import { type ParseOptions, parsePolicy } from './parse.js';
import type { Cap, Policy, Strategy } from './policy.js';
import { createShape, type StrategyFile } from './shape.js';

const HOUR_MS = 3_600_000;
const DAY_MINUTES = 1_440;
const MINUTE_MS = 60_000;

/** A strategy that a valid policy has in vain, or that acts whatever happens, at its line. */
export interface Finding extends Problem {
  /** `never`: it cannot lead to an action. `doubtful`: it can, but hardly as it was meant. */
  readonly kind: 'never' | 'doubtful';
}

/**
 * What is wrong with a policy that is valid: strategies that can never fire, and those that fire always or less than
 * their author may think. All at once, in the order of the file; none for a policy that is not valid.
 */
export function lintPolicy(yamlText: string, options: ParseOptions): readonly Finding[] {
  const parsed = parsePolicy(yamlText, options);
  if (!parsed.ok) return [];
  const policy = parsed.value;
  return (['never', 'doubtful'] as const)
    .flatMap((kind) => {
      const find = kind === 'never' ? findNever : findDoubts;
      // Read once more: a finding needs its line, and only a reader of the file knows lines.
      const again = parseYaml(yamlText, createShape(declareProfileVariables(options.featureNames, toAny(options))), {
        fileName: options.fileName,
        check: ({ strategies }, report) => {
          for (const [name, file] of strategies) {
            for (const { message, place } of find(policy, name, file)) report(place, `strategy "${name}" ${message}`);
          }
        },
      });
      return again.ok ? [] : again.problems.map((problem): Finding => ({ ...problem, kind }));
    })
    .sort((a, b) => a.line - b.line || a.column - b.column);
}

function toAny(options: ParseOptions) {
  return { ...options, segmentNames: options.segmentNames ?? ('any' as const) };
}

interface Found {
  readonly message: string;
  readonly place: Place;
}

function findNever(policy: Policy, name: string, { place }: StrategyFile): readonly Found[] {
  const strategy = policy.strategies.get(name);
  if (strategy === undefined) return [];
  const never = (reason: string): Found => ({ message: `can never fire: ${reason}`, place });
  const found: Found[] = [];
  if (toConstant(policy, name) === false) found.push(never('its condition holds for no values'));
  const categoryCaps = policy.categories.get(strategy.category ?? '')?.caps ?? [];
  const closed = listClosed(policy, strategy);
  const isClosed = closed.length === listChannels(strategy).length;
  for (const [caps, whose] of [
    [strategy.caps, 'its own'],
    [categoryCaps, `the category "${strategy.category}"'s`],
    [policy.caps, 'the overall'],
  ] as const) {
    if (allowsNone(caps)) found.push(never(`${whose} cap allows 0 contacts`));
  }
  if (isClosed) for (const name of closed) found.push(never(`the channel "${name}"'s cap allows 0 contacts`));
  if (policy.holdoutShare === 1) found.push(never('the holdout has all profiles'));
  if (strategy.holdoutShare === 1) found.push(never('its holdout has all profiles'));
  const ahead = findAhead(policy, strategy, isBlockedAlike);
  if (ahead !== undefined) found.push(never(`"${ahead}" is chosen before it, always; give it a higher priority`));
  return found;
}

function allowsNone(caps: readonly Cap[]): boolean {
  return caps.some(({ max }) => max === 0);
}

/** The strategy's channels by which nothing is ever sent. */
function listClosed({ channels }: Policy, strategy: Strategy): readonly string[] {
  return listChannels(strategy).filter((channel) => allowsNone(channels.get(channel)?.caps ?? []));
}

function findDoubts(policy: Policy, name: string, { place }: StrategyFile): readonly Found[] {
  const strategy = policy.strategies.get(name);
  if (strategy === undefined) return [];
  const found: Found[] = [];
  const isTrue = toConstant(policy, name) === true;
  if (isTrue) found.push({ message: 'has a condition that always holds; leave it out', place });
  if (isUnbounded(policy, name)) {
    found.push({ message: 'fires at every score: give it a cooldown, a cap or a condition', place });
  }
  const ahead = findAhead(policy, strategy, (one, other) => !isBlockedAlike(one, other));
  if (ahead !== undefined) {
    const message = `fires only for who does not allow "${ahead}", which is chosen before it; give it a higher priority`;
    found.push({ message, place });
  }
  const closed = listClosed(policy, strategy);
  if (closed.length < listChannels(strategy).length) {
    for (const channel of closed) {
      const message = `has options that are never open: the channel "${channel}"'s cap allows 0 contacts`;
      found.push({ message, place });
    }
  }
  const { quietHours } = policy;
  const ignores = listChannels(strategy).some((channel) => policy.channels.get(channel)?.ignoresQuietHours === true);
  if (quietHours !== undefined && !ignores) {
    const quietMs = ((quietHours.to - quietHours.from + DAY_MINUTES) % DAY_MINUTES) * MINUTE_MS;
    if (strategy.expiryMs < quietMs) {
      const message = `expires after ${strategy.expiryMs / HOUR_MS} h, and quiet hours last ${quietMs / HOUR_MS} h: a cause early in them leads to nothing`;
      found.push({ message, place });
    }
  }
  return found;
}

function toConstant(policy: Policy, name: string): boolean | undefined {
  const strategy = policy.strategies.get(name);
  if (strategy?.when === undefined) return undefined;
  return findConstant(strategy.when, policy.variables, { 'profile.stage': [...strategy.stages] });
}

/** Nothing keeps it from acting at each score. */
function isUnbounded(policy: Policy, name: string): boolean {
  const strategy = policy.strategies.get(name);
  if (strategy === undefined || strategy.on !== 'scored' || strategy.cooldownMs > 0) return false;
  if (strategy.when !== undefined && toConstant(policy, name) !== true) return false;
  const caps = [policy.caps, strategy.caps, policy.categories.get(strategy.category ?? '')?.caps ?? []];
  if (caps.some((list) => list.length > 0)) return false;
  return listChannels(strategy).every((name) => {
    const channel = policy.channels.get(name);
    const { grantedBy, reply, perDay } = channel?.permission ?? {};
    return (channel?.caps ?? []).length === 0 && (grantedBy ?? reply ?? perDay) === undefined;
  });
}

/** Who has withdrawn the one, or complained of it, has the other too: both are on a channel and of a category. */
function isBlockedAlike(one: Strategy, other: Strategy): boolean {
  const channels = listChannels(other);
  return listChannels(one).every((channel) => channels.includes(channel)) && one.category === other.category;
}

/** A strategy that is open whenever this one is, but for what the person allows, and is chosen first. */
function findAhead(
  policy: Policy,
  strategy: Strategy,
  accepts: (strategy: Strategy, ahead: Strategy) => boolean,
): string | undefined {
  if (policy.choice !== 'priority') return undefined;
  const names = [...policy.strategies.keys()];
  return names.find((other) => {
    const ahead = policy.strategies.get(other);
    if (ahead === undefined || ahead === strategy || !isUnbounded(policy, other)) return false;
    if (!accepts(strategy, ahead)) return false;
    if (policy.experimentOf.has(other)) return false;
    const mayWait = listChannels(ahead).some((channel) => policy.channels.get(channel)?.ignoresQuietHours !== true);
    const waits = policy.quietHours !== undefined && mayWait;
    if (waits || policy.doNotDisturb.length > 0 || ahead.holdoutShare > 0 || ahead.languages !== undefined)
      return false;
    if (![...strategy.stages].every((stage) => ahead.stages.has(stage))) return false;
    return (
      ahead.priority > strategy.priority ||
      (ahead.priority === strategy.priority && names.indexOf(other) < names.indexOf(strategy.name))
    );
  });
}
