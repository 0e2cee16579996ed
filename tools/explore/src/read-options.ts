import type { ExploreSource } from './explorer.js';
import type { FunnelOptions } from './funnel.js';
import { EXPLORE_LIMITS as LIMITS } from './limits.js';
import { OptionReader } from './option-reader.js';
import type { PathOptions } from './paths.js';
import type { RetentionOptions } from './retention.js';
import type { RfmOptions } from './rfm.js';
import type { RuleOptions } from './rules.js';

/** Options of every command, as they were typed. */
export interface SourceTexts {
  readonly archive: string;
  readonly namespace: string;
  readonly memoryMb: string;
  readonly threads?: string;
  readonly from?: string;
  readonly to?: string;
}

export interface FunnelTexts {
  readonly steps: readonly string[];
  readonly within: string;
  readonly by?: string;
}

export interface PathTexts {
  readonly start?: string;
  readonly length: string;
  readonly gap: string;
  readonly top: string;
}

export interface RuleTexts {
  readonly of: string;
  readonly items: string;
  readonly minSupport: string;
  readonly minConfidence: string;
  readonly gap: string;
  readonly top: string;
}

export interface RetentionTexts {
  readonly start: string;
  readonly return: string;
  readonly every: string;
  readonly periods: string;
}

export interface CohortTexts {
  readonly by: string;
  readonly first?: string;
  readonly return?: string;
  readonly periods: string;
}

export interface RfmTexts {
  readonly split: string;
  readonly recencyDays?: string;
  readonly orders?: string;
  readonly revenue?: string;
}

interface Asked<Options> {
  readonly source: ExploreSource;
  readonly options: Options;
}

/** These throw `config_invalid` with all problems of a command line, one a line. */
export function readFunnelOptions(texts: SourceTexts & FunnelTexts): Asked<FunnelOptions> {
  return read(texts, (reader) => {
    const { steps, within, by, from, to } = texts;
    const { stepsMin, stepsMax } = LIMITS;
    if (steps.length < stepsMin || steps.length > stepsMax)
      reader.problem('--steps', `has ${steps.length} events but must have ${stepsMin} to ${stepsMax}`);
    return {
      steps: steps.map((step, index) => reader.event(`--steps, number ${index + 1},`, step)),
      withinMs: reader.span('--within', within),
      by: by === undefined ? undefined : reader.oneOf('--by', by, ['week', 'month']),
      ...reader.range(from, to),
    };
  });
}

export function readPathOptions(texts: SourceTexts & PathTexts): Asked<PathOptions> {
  return read(texts, (reader) => ({
    start: texts.start === undefined ? undefined : reader.event('--start', texts.start),
    length: reader.whole('--length', texts.length, { min: LIMITS.pathLengthMin, max: LIMITS.pathLengthMax }),
    ...readList(reader, texts),
  }));
}

export function readRuleOptions(texts: SourceTexts & RuleTexts): Asked<RuleOptions> {
  return read(texts, (reader) => ({
    of: reader.oneOf('--of', texts.of, ['items', 'events']),
    items: reader.whole('--items', texts.items, { min: LIMITS.ruleItemsMin, max: LIMITS.ruleItemsMax }),
    minSupport: reader.share('--min-support', texts.minSupport),
    minConfidence: reader.share('--min-confidence', texts.minConfidence),
    ...readList(reader, texts),
  }));
}

export function readRetentionOptions(texts: SourceTexts & RetentionTexts): Asked<RetentionOptions> {
  return read(texts, (reader) => ({
    start: reader.event('--start', texts.start),
    back: reader.event('--return', texts.return),
    every: reader.oneOf('--every', texts.every, ['week', 'month']),
    periods: reader.whole('--periods', texts.periods, { min: 1, max: LIMITS.periodsMax }),
    ...reader.range(texts.from, texts.to),
  }));
}

/** Cohorts of acquisition are those of retention whose first and later events may be any. */
export function readCohortOptions(texts: SourceTexts & CohortTexts): Asked<RetentionOptions> {
  const { by, first, return: back, periods, from, to } = texts;
  return read(texts, (reader) => ({
    start: first === undefined ? undefined : reader.event('--first', first),
    back: back === undefined ? undefined : reader.event('--return', back),
    every: reader.oneOf('--by', by, ['week', 'month']),
    periods: reader.whole('--periods', periods, { min: 1, max: LIMITS.periodsMax }),
    ...reader.range(from, to),
  }));
}

export function readRfmOptions(texts: SourceTexts & RfmTexts): Asked<RfmOptions> {
  return read(texts, (reader) => ({
    split: reader.oneOf('--split', texts.split, ['mean', 'median']),
    recencyDays: reader.amount('--recency-days', texts.recencyDays),
    orders: reader.amount('--orders', texts.orders),
    revenue: reader.amount('--revenue', texts.revenue),
    ...reader.range(texts.from, texts.to),
  }));
}

function readList(
  reader: OptionReader,
  { gap, top, from, to }: Pick<SourceTexts, 'from' | 'to'> & Pick<PathTexts, 'gap' | 'top'>,
) {
  return {
    gapMs: reader.span('--gap', gap),
    top: reader.whole('--top', top, { min: 1, max: LIMITS.rowsMax }),
    ...reader.range(from, to),
  };
}

function read<Options>(texts: SourceTexts, readRest: (reader: OptionReader) => Options): Asked<Options> {
  const { archive, namespace, memoryMb, threads } = texts;
  const reader = new OptionReader();
  const options = readRest(reader);
  const source = {
    archive,
    namespace,
    memoryMb: reader.whole('--memory-mb', memoryMb, { min: LIMITS.memoryMbMin, max: LIMITS.memoryMbMax }),
    threads: threads === undefined ? undefined : reader.whole('--threads', threads, { min: 1, max: LIMITS.threadsMax }),
  };
  reader.finish();
  return { source, options };
}
