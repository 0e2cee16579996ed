import type { ApiClient } from '@perennial/client';
import { type ExperimentReport, type Observed, reportExperiment } from '@perennial/experiments';
import { type ExposedPerson, exploreExposed, OptionReader, type Reading } from '@perennial/explore';
import { type ArmTotals, findArms, isCalledControl, readArms, readExposures } from './read-exposures.js';

/** Options of `experiments report` as they were typed. */
export interface ReportTexts {
  readonly control?: string;
  readonly window: string;
  readonly alpha: string;
  readonly planned: string;
  readonly tolerate: string;
  readonly until?: string;
}

interface ReportOptions {
  readonly control: string | undefined;
  readonly windowMs: number;
  readonly alpha: number;
  readonly plannedPersons: number;
  readonly toleratedHarm: number;
  readonly untilMs: number | undefined;
}

export interface FullReport extends ExperimentReport {
  readonly experiment: string;
  readonly control: string;
  readonly windowMs: number;
  readonly alpha: number;
  readonly plannedPersons: number;
  /** Exposures that the table has not got yet. */
  readonly lag: number;
  readonly archive: Pick<Reading, 'files' | 'events' | 'lastMs' | 'missingRecords'>;
}

const PLANNED_MAX = 1e9;

/** Throws `config_invalid` with a line for each problem. */
export function readReportOptions(texts: ReportTexts): ReportOptions {
  const reader = new OptionReader();
  const options = {
    control: texts.control,
    windowMs: reader.span('--window', texts.window),
    alpha: reader.share('--alpha', texts.alpha),
    plannedPersons: reader.whole('--planned', texts.planned, { min: 100, max: PLANNED_MAX }),
    toleratedHarm: reader.share('--tolerate', texts.tolerate),
    untilMs: reader.time('--until', texts.until),
  };
  if (options.alpha === 0) reader.problem('--alpha', 'is 0 but must be above it');
  reader.finish();
  return options;
}

/** Exposures from the service, what came of them from the event archive. */
export async function makeReport(
  name: string,
  options: ReportOptions,
  {
    client,
    source,
  }: { readonly client: Pick<ApiClient, 'call'>; readonly source: Parameters<typeof exploreExposed>[0] },
): Promise<FullReport> {
  const { arms: all, lag } = await readArms(client);
  const arms = findArms(all, name, options.control);
  const [first] = arms as [ArmTotals];
  const others = toOthers(all, first);
  const exposures = await readExposures(client, name);
  const { windowMs, untilMs, alpha, plannedPersons, toleratedHarm } = options;
  const ofOthers = new Map<string, Awaited<ReturnType<typeof readExposures>>>();
  for (const experiment of new Set(others.map((other) => other.experiment))) {
    ofOthers.set(experiment, await readExposures(client, experiment));
  }
  const { persons, files, events, lastMs, missingRecords } = await exploreExposed(source, {
    exposures,
    others: ofOthers,
    windowMs,
    untilMs,
  });
  const question = { alpha, plannedPersons, toleratedHarm, others, control: first.arm };
  const report = reportExperiment(persons.map(toObserved), {
    ...question,
    arms: arms.map(({ arm, propensity }) => ({ name: arm, propensity })),
  });
  const archive = { files, events, lastMs, missingRecords };
  return { experiment: name, control: first.arm, windowMs, alpha, plannedPersons, lag, archive, ...report };
}

/** Each arm of an experiment of another layer, with its control; without one by name, any arm serves to see whether effects differ. */
function toOthers(all: readonly ArmTotals[], own: ArmTotals) {
  const names = new Set(all.filter(({ layer }) => layer !== own.layer).map(({ experiment }) => experiment));
  return [...names].flatMap((experiment) => {
    const found = all.filter((arm) => arm.experiment === experiment);
    const control = found.find(isCalledControl) ?? (found[0] as ArmTotals);
    return found.filter((one) => one !== control).map(({ arm }) => ({ experiment, control: control.arm, arm }));
  });
}

function toObserved(person: ExposedPerson): Observed {
  const { group, others, orders, isWindowOver, revenue, revenueBefore, unsubscribed, complained, returned } = person;
  const harms = { unsubscribed, complained };
  return { arm: group, isWindowOver, converted: orders > 0, revenue, revenueBefore, returned, others, ...harms };
}
