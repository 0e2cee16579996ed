import type { Figures } from '@perennial/experiments';
import { line, lines, type Printable, toTable } from '../output.js';
import type { Plan } from './plan.js';

export function formatPlan(plan: Plan): Printable {
  const rows: Array<[string, string]> = [
    ['persons', `${toCount(plan.persons)}, ${toCount(plan.personsPerArm)} in each arm`],
    ['on average', `${toCount(plan.persons * plan.expectedShare)}, when the difference is as large as planned`],
    ['looks', String(plan.looks)],
  ];
  if (plan.days !== undefined) rows.push(['days', `${plan.days}; on average ${plan.expectedDays}`]);
  rows.push(
    ['alpha', `${plan.comparisonAlpha} for each comparison with the control`],
    ['plain z test', `${toCount(plan.fixedPersonsPerArm)} in each arm, at one look and none before`],
  );
  return toTable(rows);
}

export function formatFigures(figures: Figures): Printable {
  const { same, few, different, revenue, sizes, sameArms, computed, runs, looks, alpha, seed } = figures;
  const head = ['world', 'significant', 'coverage', 'plain z test'];
  const rows = [
    ['the same conversion, 5 %', same.significant, same.coverage, same.plainSignificant],
    ['the same conversion, 2 % of few persons', few.significant, few.coverage, few.plainSignificant],
    ['5 % and 6 %, persons as planned', different.significant, different.coverage, different.plainSignificant],
  ].map((row) => row.map((cell) => (typeof cell === 'number' ? toPercent(cell) : cell)));
  const revenueRows = [
    ['the same revenue', toPercent(revenue.falseAlarms), toPercent(revenue.coverage), '-'],
    ['the same revenue, by CUPED', toPercent(revenue.adjustedFalseAlarms), toPercent(revenue.adjustedCoverage), '-'],
  ];
  return lines(
    toTable([head, ...rows, ...revenueRows]),
    line`computed instead of simulated: sequence ${toPercent(computed.sequence)}, plain z test ${toPercent(computed.plain)} false alarms`,
    line`planned for a power of 80.0 %: ${toCount(different.plan.personsPerArm)} persons in each arm`,
    line`CUPED takes out ${toPercent(revenue.varianceReduction)} of the variance; its balance check is wrong in ${toPercent(revenue.unbalanced)} of the runs`,
    line`sizes of arms: ${toPercent(sizes.falseAlarms)} false alarms; 55 to 45 instead of 50 to 50 found in ${toPercent(sizes.found)}`,
    line`A/A by the assignment itself: ${toPercent(sameArms.falseAlarms)} false alarms, ${toPercent(sameArms.ratioAlarms)} about sizes`,
    line`${runs} runs, ${looks} looks, alpha ${alpha}, seed ${seed}`,
  );
}

function toPercent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

function toCount(count: number): string {
  return Math.ceil(count).toLocaleString('en-US');
}
