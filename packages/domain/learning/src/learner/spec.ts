import { AppError, toSha256 } from '@perennial/kernel';

/** What a learner chooses between, and what it believes before any outcome. */
export interface LearnerSpec {
  /** An option is one value of each: channel x offer x tone. */
  readonly dimensions: readonly Dimension[];
  /** What a person's context may say, such as stage or segment; each value may change the effect of each dimension's values. */
  readonly contexts?: readonly Dimension[] | undefined;
  /** Share of draws, in (0, 1], that go to all options alike: no propensity falls below floor / options. */
  readonly floor: number;
  /** Time after which an outcome counts half. Outcomes count for ever where it is left out. */
  readonly halfLifeMs?: number | undefined;
  /** Probability of a reward that is expected at first. */
  readonly baseRate: number;
}

interface Dimension {
  readonly name: string;
  readonly values: readonly string[];
}

/** A learner's effects, numbered: their sum is the log-odds of a reward. */
export interface Layout {
  readonly floor: number;
  readonly halfLifeMs: number | undefined;
  /** Of the spec: a snapshot of another one is not read. */
  readonly hash: string;
  readonly options: readonly Option[];
  /** Prior of each effect: independent normals. */
  readonly priorMeans: Float64Array;
  readonly priorPrecisions: Float64Array;
  /** Numbers of the effects that are in the log-odds of an option in a context. Unknown values of a context have no effect. */
  toEffects(option: number, context: Context): readonly number[];
}

interface Option {
  /** Values joined by a slash, in the order of dimensions. */
  readonly name: string;
  /** Numbers of the values. */
  readonly values: readonly number[];
}

export type Context = Readonly<Record<string, string>>;

const OPTIONS_MAX = 256;
/** An update costs the third power of it. */
const EFFECTS_MAX = 512;

/**
 * Standard deviations of effects, in log-odds. What values of a dimension have in common is learnt from all options with them; what an
 * option has of its own counts only as its outcomes insist (partial pooling).
 */
const DEVIATIONS = { base: 1.5, value: 0.7, option: 0.25, context: 0.7, contextValue: 0.5 };

/** Throws `config_invalid` with a line for each problem. */
export function toLayout(spec: LearnerSpec): Layout {
  const problems = findProblems(spec);
  if (problems.length > 0) throw new AppError('config_invalid', problems.join('\n'));
  const { dimensions, contexts = [], floor, halfLifeMs, baseRate } = spec;
  const options = toOptions(dimensions);
  const deviations: number[] = [];
  const numbers = new Map<string, number>();
  const add = (name: string, deviation: number) => numbers.set(name, deviations.push(deviation) - 1);
  add('base', DEVIATIONS.base);
  for (const [d, { values }] of dimensions.entries()) for (const v of values.keys()) add(`${d}.${v}`, DEVIATIONS.value);
  for (const o of options.keys()) add(`option ${o}`, DEVIATIONS.option);
  const contextNumbers = contexts.map(({ values }, c) =>
    Object.fromEntries(
      values.map((value, cv) => {
        add(`context ${c}.${cv}`, DEVIATIONS.context);
        for (const [d, { values: all }] of dimensions.entries())
          for (const v of all.keys()) add(`context ${c}.${cv} ${d}.${v}`, DEVIATIONS.contextValue);
        return [value, cv];
      }),
    ),
  );
  const at = (name: string) => numbers.get(name) as number;
  const priorMeans = new Float64Array(deviations.length);
  priorMeans[0] = Math.log(baseRate / (1 - baseRate));
  return {
    floor,
    halfLifeMs,
    hash: toSha256(JSON.stringify({ dimensions, contexts, floor, halfLifeMs, baseRate, DEVIATIONS })),
    options,
    priorMeans,
    priorPrecisions: Float64Array.from(deviations, (deviation) => 1 / deviation ** 2),
    toEffects(option, context) {
      const { values } = options[option] as Option;
      const own = [0, ...values.map((v, d) => at(`${d}.${v}`)), at(`option ${option}`)];
      for (const [c, { name }] of contexts.entries()) {
        const said = Object.hasOwn(context, name) ? context[name] : undefined;
        const byValue = contextNumbers[c] ?? {};
        if (said === undefined || !Object.hasOwn(byValue, said)) continue;
        const prefix = `context ${c}.${byValue[said]}`;
        own.push(at(prefix), ...values.map((v, d) => at(`${prefix} ${d}.${v}`)));
      }
      return own;
    },
  };
}

function toOptions(dimensions: readonly Dimension[]): readonly Option[] {
  return dimensions.reduce<readonly Option[]>(
    (options, { values }) =>
      options.flatMap((option) =>
        values.map((value, v) => ({
          name: option.values.length === 0 ? value : `${option.name}/${value}`,
          values: [...option.values, v],
        })),
      ),
    [{ name: '', values: [] }],
  );
}

function findProblems({ dimensions, contexts = [], floor, halfLifeMs, baseRate }: LearnerSpec): readonly string[] {
  const problems: string[] = [];
  const all = [...dimensions, ...contexts];
  for (const { name, values } of all) {
    if (values.length === 0) problems.push(`${name} has no values`);
    if (new Set(values).size < values.length) problems.push(`${name} has a value twice`);
    for (const value of values)
      if (value === '' || value.includes('/'))
        problems.push(`${name} has the value "${value}": empty, or with a slash`);
  }
  for (const part of [dimensions, contexts]) {
    if (new Set(part.map(({ name }) => name)).size < part.length) problems.push('a name stands twice');
  }
  const options = dimensions.reduce((product, { values }) => product * values.length, 1);
  if (options < 2 || options > OPTIONS_MAX) problems.push(`${options} options: there must be 2 to ${OPTIONS_MAX}`);
  const values = dimensions.reduce((sum, dimension) => sum + dimension.values.length, 0);
  const effects =
    1 + values + options + contexts.reduce((sum, context) => sum + context.values.length, 0) * (1 + values);
  if (effects > EFFECTS_MAX) problems.push(`${effects} effects: there may be ${EFFECTS_MAX}`);
  if (!(floor > 0 && floor <= 1)) problems.push(`floor is ${floor}: it must be in (0, 1]`);
  if (!(baseRate > 0 && baseRate < 1)) problems.push(`baseRate is ${baseRate}: it must be in (0, 1)`);
  if (halfLifeMs !== undefined && !(halfLifeMs > 0)) problems.push(`halfLifeMs is ${halfLifeMs}: it must be above 0`);
  return problems;
}
