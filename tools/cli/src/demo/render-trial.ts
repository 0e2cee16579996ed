import { formatReport } from '../experiments/format-report.js';
import type { FullReport } from '../experiments/report.js';
import { formatExplanation, formatOutcome } from '../policy/explain-user.js';
import { TRIAL_OPTIONS } from './demo-policy.js';
import type { Explained } from './explained.js';

/** The others stand in the report of the command. */
const METRICS_SHOWN = ['conversion', 'revenue', 'revenue by CUPED', 'returned after 30 days', 'unsubscribed'];

/** Lines about the demo's experiment. The customers of the history never saw what an arm sent, and the page says so. */
export function describeTrial(trial: FullReport, flag: string): string[] {
  const metrics = trial.metrics.filter(({ name }) => METRICS_SHOWN.includes(name));
  const { window, planned } = TRIAL_OPTIONS;
  return [
    ...toLines(formatReport({ ...trial, metrics }).text),
    'the purchases are history, which no welcome can have changed: a significant difference would be a false alarm',
    `./perennial experiments list ${flag}`,
    `./perennial experiments report ${trial.experiment} --window ${window} --planned ${planned} ${flag}   (its archive is ten minutes behind)`,
  ];
}

/** Lines about users whom the policy would send something now, and about one whom it would not, with each strategy's reason. */
export function describeExplained({ decided, whyNot }: Explained, flag: string): string[] {
  const toCommand = (userId: string, entered: boolean) =>
    `./perennial explain ${userId}${entered ? ' --entered' : ''} ${flag}`;
  const toSteps = (steps: Explained['decided'][number]['explanation']['steps']) =>
    steps
      .filter(({ dropped }) => dropped.length > 0)
      .map(({ step, dropped }) => `  no other: ${step} dropped ${toReasons(dropped)}`);
  return [
    ...decided.flatMap(({ entered, explanation }) => [
      toCommand(explanation.userId, entered),
      `  ${formatOutcome(explanation).text}`,
      ...toSteps(explanation.steps),
    ]),
    ...(whyNot === undefined
      ? []
      : [
          '',
          'And why not:',
          toCommand(whyNot.explanation.userId, whyNot.entered),
          ...toLines(formatExplanation(whyNot.explanation).text).map((line) => (line === '' ? '' : `  ${line}`)),
        ]),
  ];
}

/** `3 other_stage, 1 cooldown`. */
function toReasons(dropped: ReadonlyArray<{ readonly reason: string }>): string {
  const counts = new Map<string, number>();
  for (const { reason } of dropped) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return [...counts].map(([reason, count]) => `${count} ${reason}`).join(', ');
}

/** Without the blanks that end a table's rows. */
function toLines(text: string): string[] {
  return text.split('\n').map((line) => line.trimEnd());
}
