import type { Metric } from '@perennial/experiments';
import { line, lines, type Printable, toTable } from '../output.js';
import type { ArmTotals } from './read-exposures.js';
import type { FullReport } from './report.js';

const DAY_MS = 86_400_000;

export function formatArms(arms: readonly ArmTotals[], lag: number): Printable {
  if (arms.length === 0) return line`nobody was exposed to any experiment yet`;
  const head = ['experiment', 'layer', 'arm', 'probability', 'profiles', 'first', 'last'];
  const rows = arms.map(({ experiment, layer, arm, propensity, profiles, firstAt, lastAt }) => [
    experiment,
    layer,
    arm,
    toPercent(propensity),
    profiles,
    firstAt,
    lastAt,
  ]);
  const table = toTable([head, ...rows]);
  return lag === 0 ? table : lines(table, line`${lag} exposures are not counted yet`);
}

export function formatReport(report: FullReport): Printable {
  const { ratio, interactions, archive, windowMs, alpha, plannedPersons } = report;
  const sizes = ratio.isMismatch
    ? line`ALARM: the sizes of the arms are not those of their weights (p ${toP(ratio.pValue)}): search for the cause before believing any figure`
    : line`sizes of the arms are as their weights say (p ${toP(ratio.pValue)}, alarm at 0.01)`;
  const end = archive.lastMs === null ? '-' : new Date(archive.lastMs).toISOString();
  return lines(
    line`${report.experiment}: ${report.persons} persons, each arm against ${report.control}`,
    toTable([['metric', 'arm', 'persons', 'value', 'difference', 'from', 'to', ''], ...report.metrics.flatMap(toRows)]),
    report.hasChangedWeights
      ? line`ALARM: the weights of the arms were changed while it ran: believe no figure, and begin an experiment of another name`
      : sizes,
    toBalance(report),
    ...interactions.map(
      ({ arm, experiment, otherArm, effect }) =>
        line`${effect.isSignificant ? 'INTERACTION' : 'no interaction seen'}: ${arm} with ${otherArm} of ${experiment}, on conversion: ${toRange(effect)}`,
    ),
    line`intervals hold at all looks together, ${toPercent(1 - alpha)} for each metric, narrowest at ${plannedPersons} persons; window ${windowMs / DAY_MS} d`,
    line`of ${archive.events} events in ${archive.files} files, until ${end}`,
    ...(report.lag === 0 ? [] : [line`${report.lag} exposures are not counted yet`]),
  );
}

function toBalance({ cuped, control }: FullReport): Printable {
  const { unbalanced, tooFew, varianceReduction } = cuped;
  if (unbalanced.length > 0) {
    return line`ALARM: ${unbalanced.join(', ')} had spent another sum than ${control} before: do not believe figures by CUPED`;
  }
  const gone = line`CUPED takes out ${toPercent(varianceReduction)} of the variance`;
  return tooFew.length === 0
    ? line`${gone}; the arms had spent alike before`
    : line`${gone}; too few had spent anything before to compare ${tooFew.join(', ')} with ${control}`;
}

function toRows({ name, arms }: Metric): string[][] {
  const toText = name.startsWith('revenue') ? (value: number) => value.toFixed(2) : toPercent;
  return arms.map(({ arm, persons, value, effect, guardrail }) => {
    if (effect === undefined) return [name, arm, String(persons), toText(value), '', '', '', 'control'];
    const { estimate, low, high, isSignificant, method } = effect;
    const bounds = [low, high].map((bound) => (Number.isFinite(bound) ? toText(bound) : '-'));
    const said = method === 'too_few' ? 'too few' : isSignificant ? 'significant' : 'open';
    return [name, arm, String(persons), toText(value), toText(estimate), ...bounds, guardrail ?? said];
  });
}

function toRange({
  estimate,
  low,
  high,
  method,
}: {
  estimate: number;
  low: number;
  high: number;
  method: string;
}): string {
  if (method === 'too_few') return 'too few persons';
  return `${toPercent(estimate)} (${toPercent(low)} to ${toPercent(high)})`;
}

function toPercent(share: number): string {
  return `${(share * 100).toFixed(2)} %`;
}

function toP(value: number): string {
  return value.toPrecision(2);
}
