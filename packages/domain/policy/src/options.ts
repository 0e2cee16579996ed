import {
  jsonObject,
  located,
  named,
  namesOrNamed,
  number,
  object,
  oneOf,
  optional,
  type Place,
  type ShapeValue,
  type YamlContext,
} from '@perennial/expressions';
import type { DimensionValue, Strategy, StrategyOption, StrategyOptions } from './policy.js';

/** JSON characters of a strategy's parameters, of a value's, and of an option's together. */
export const PARAMETERS_LENGTH_MAX = 4_096;

/** Of one strategy, all dimensions multiplied. */
const OPTIONS_MAX = 64;
const DIMENSIONS_MAX = 8;
/** The dimension whose values are channels. */
const CHANNEL = 'channel';

interface Name {
  readonly pattern: RegExp;
  readonly patternHint: string;
}

type File = ShapeValue<ReturnType<typeof createOptions>['options']>;
type Dimensions = NonNullable<File>['value'];

/** The keys of a strategy about its options; both absent where it has none. */
export function createOptions(name: Name) {
  const value = object({
    parameters: optional(jsonObject({ lengthMax: PARAMETERS_LENGTH_MAX }), {}),
    cost: optional(number({ min: 0, max: 1e9 }), 0),
  });
  const bare = { parameters: {}, cost: 0, place: { offset: 0 } };
  const toValues = (dimension: string) =>
    located(
      namesOrNamed(value, {
        ...name,
        bare,
        itemsMax: OPTIONS_MAX,
        refers: dimension === CHANNEL ? 'channel' : undefined,
      }),
    );
  return {
    options: optional(located(named(toValues, { ...name, itemsMax: DIMENSIONS_MAX })), undefined),
    optionChoice: optional(located(oneOf(['fixed', 'random'])), undefined),
  };
}

/** What a strategy says about its channel and its options. */
interface OptionKeys {
  readonly channel: { readonly value: string; readonly place: Place } | undefined;
  readonly options: File;
  readonly optionChoice: { readonly value: 'fixed' | 'random'; readonly place: Place } | undefined;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly cost: number;
  readonly place: Place;
}

/** What no form can say: how many options there are, and keys that need or exclude each other. */
export function checkOptions(strategy: OptionKeys, report: YamlContext['report']): void {
  const { options, optionChoice, channel, place } = strategy;
  const hasChannels = options?.value.has(CHANNEL) === true;
  if (channel === undefined && !hasChannels) report(place, 'the key "channel" is missing');
  if (channel !== undefined && hasChannels) {
    report(channel.place, 'the dimension "channel" of the options has the channels; leave this one out');
  }
  if (optionChoice !== undefined && options === undefined) {
    report(optionChoice.place, '"optionChoice" needs "options" beside it');
  }
  if (options === undefined) return;
  const count = [...options.value.values()].reduce((product, { value }) => product * value.size, 1);
  if (options.value.size === 0) report(options.place, 'options need a dimension, such as "channel" or "offer"');
  checkParameters(options.value, report);
  if (count > OPTIONS_MAX) {
    // All of them are not made: there may be very many.
    report(options.place, `these are ${count} options, at most ${OPTIONS_MAX} are allowed`);
    return;
  }
  const tooLong = toOptions(strategy)?.open.find(
    ({ parameters }) => JSON.stringify(parameters).length > PARAMETERS_LENGTH_MAX,
  );
  if (tooLong !== undefined) {
    report(
      options.place,
      `the option "${tooLong.name}" has more than ${PARAMETERS_LENGTH_MAX} characters of parameters together`,
    );
  }
}

/** Two dimensions that say the same parameter would overwrite each other. */
function checkParameters(dimensions: Dimensions, report: YamlContext['report']): void {
  const owners = new Map<string, string>();
  for (const [dimension, { value: values }] of dimensions) {
    for (const { value, place } of values.values()) {
      for (const key of Object.keys(value.parameters)) {
        const owner = owners.get(key) ?? dimension;
        if (owner !== dimension) report(place, `the parameter "${key}" is of the dimension "${owner}" already`);
        owners.set(key, owner);
      }
    }
  }
}

/** All options of a strategy; undefined for a strategy without any. */
export function toOptions({
  channel,
  options,
  optionChoice,
  parameters,
  cost,
}: Omit<OptionKeys, 'place'>): StrategyOptions | undefined {
  if (options === undefined) return undefined;
  let open: readonly StrategyOption[] = [{ name: '', channel: channel?.value ?? '', parameters, cost }];
  const dimensions = new Map<string, ReadonlyMap<string, DimensionValue>>();
  for (const [dimension, { value: said }] of options.value) {
    const values = [...said].map(([name, { value }]) => [name, toValue(value)] as const);
    dimensions.set(dimension, new Map(values));
    open = open.flatMap((before) => values.map(([name, value]) => extend(before, dimension, { name, value })));
  }
  return { choice: optionChoice?.value ?? 'fixed', dimensions, open };
}

function toValue({ parameters, cost }: DimensionValue): DimensionValue {
  return { parameters, cost };
}

function extend(
  before: StrategyOption,
  dimension: string,
  { name, value }: { readonly name: string; readonly value: DimensionValue },
): StrategyOption {
  return {
    name: `${before.name}${before.name === '' ? '' : ','}${dimension}=${name}`,
    channel: dimension === CHANNEL ? name : before.channel,
    parameters: { ...before.parameters, ...value.parameters },
    cost: before.cost + value.cost,
  };
}

/** The channels that a strategy may use, in the order of its options. */
export function listChannels({ channel, options }: Strategy): readonly string[] {
  return options === undefined ? [channel] : [...new Set(options.open.map((option) => option.channel))];
}

/** The strategy with one of its options as the only way to do it; undefined when it has no option of this name (any more). */
export function findOption(strategy: Strategy, name: string): Strategy | undefined {
  const option = strategy.options?.open.find((one) => one.name === name);
  return option && withOption(strategy, option);
}

export function withOption(strategy: Strategy, { channel, parameters, cost }: StrategyOption): Strategy {
  return { ...strategy, channel, parameters, cost, options: undefined };
}
