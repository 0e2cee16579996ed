import type { ActionDecided } from '@perennial/contracts';
import { toPrintable } from '@perennial/kernel';
import { formatProfilePage } from '../profile/format-page.js';
import { describeExplained, describeTrial } from './render-trial.js';
import type { DemoReport } from './report.js';

const BAR_WIDTH = 32;
const FLOWS_SHOWN_MAX = 10;

export interface Surroundings {
  readonly namespace: string;
  readonly urls: Readonly<Record<string, string>>;
}

/** The report as a page of text. */
export function renderReport(report: DemoReport, { namespace, urls }: Surroundings): string {
  const { events, actions, latencyMs } = report;
  const flag = `--namespace ${namespace}`;
  const sections = [
    section('Events', [
      `${count(events.sent)} sent, ${count(events.accepted)} accepted, ${count(events.rejected)} rejected`,
      `${count(events.duplicates)} of them sent twice: the second changed nothing`,
      `${count(report.features.updates)} feature updates, ${count(report.scores)} scores, ${count(report.transitions)} changes of stage`,
      `history: ${report.history.note}`,
    ]),
    section('Where customers are', bars(report.stages)),
    section('How they moved', flows(report.flows)),
    section('Which segments they are in', sizes(report.segments)),
    section(`Actions: ${count(actions.total)}`, [
      ...bars(actions.byStrategy),
      ...Object.entries(actions.suppressed).map(([reason, number]) => `no action: ${reason} ${count(number)}`),
    ]),
    ...(report.examples.length === 0 ? [] : [section('Why, for example', report.examples.flatMap(explain))]),
    section('Who would get what now', describeExplained(report.explained, flag)),
    ...(report.trial === null ? [] : [section('Does a welcome help?', describeTrial(report.trial, flag))]),
    section('A visitor who became a customer', describeVisitor(report.visitor, flag)),
    section('How fast', [
      latencyMs.p50 === null
        ? 'the live traffic caused no action'
        : `from HTTP 200 to the action on Kafka: half within ${latencyMs.p50} ms, 99 of 100 within ${latencyMs.p99} ms`,
      `all of it took ${report.seconds} s`,
    ]),
    section('Where to look next', [
      `./perennial topic action.decided ${flag} --limit 3`,
      `./perennial segments show slipping_away ${flag}`,
      `./perennial identity show ${report.visitor.anonymousId} --anonymous ${flag}`,
      `./perennial status ${flag}`,
      ...Object.entries(urls).map(([service, url]) => `${service.padEnd(14)} ${url}`),
      ...toCurl(report, { namespace, urls }),
    ]),
  ];
  return `${sections.join('\n\n')}\n`;
}

function section(title: string, lines: readonly string[]): string {
  return [title, ...lines.map((line) => (line === '' ? '' : `  ${line}`))].join('\n');
}

function bars(counts: Readonly<Record<string, number>>): string[] {
  const entries = Object.entries(counts);
  if (entries.length === 0) return ['none'];
  const total = entries.reduce((sum, [, number]) => sum + number, 0);
  const most = Math.max(...entries.map(([, number]) => number));
  const width = Math.max(...entries.map(([name]) => name.length));
  return entries.map(([name, number]) => {
    const bar = '█'.repeat(Math.max(1, Math.round((number / most) * BAR_WIDTH)));
    const share = `${((100 * number) / total).toFixed(1)} %`;
    return `${name.padEnd(width)}  ${count(number).padStart(8)}  ${share.padStart(7)}  ${bar}`;
  });
}

/** Without shares: a profile may be in several segments. */
function sizes(counts: Readonly<Record<string, number>>): string[] {
  const entries = Object.entries(counts);
  const width = Math.max(...entries.map(([name]) => name.length));
  return entries.length === 0
    ? ['none']
    : entries.map(([name, size]) => `${name.padEnd(width)}  ${count(size).padStart(8)}`);
}

function flows(counts: Readonly<Record<string, number>>): string[] {
  const entries = Object.entries(counts);
  if (entries.length === 0) return ['nobody moved'];
  const shown = entries.slice(0, FLOWS_SHOWN_MAX);
  const width = Math.max(...shown.map(([name]) => name.length));
  const rest = entries.slice(FLOWS_SHOWN_MAX).reduce((sum, [, number]) => sum + number, 0);
  return [
    ...shown.map(([name, number]) => `${name.padEnd(width)}  ${count(number).padStart(8)}`),
    ...(rest === 0 ? [] : [`${entries.length - FLOWS_SHOWN_MAX} others  ${count(rest)}`]),
  ];
}

function explain(action: ActionDecided): string[] {
  const { strategy, userId, stage, channel, template, decidedAt, expiresAt, reasons, parameters, experiment, arm } =
    action;
  const details = Object.entries(parameters).map(([name, value]) => `${name} ${JSON.stringify(value)}`);
  return [
    `${strategy} to ${toPrintable(userId ?? action.profileKey)} (${stage}), ${channel} "${template}"${details.length > 0 ? `: ${details.join(', ')}` : ''}`,
    `  because ${toPrintable(reasons.join('; ')) || 'the policy says so'}`,
    `  decided ${decidedAt}, good until ${expiresAt}`,
    ...(experiment === undefined ? [] : [`  in the arm ${arm} of the experiment ${experiment}`]),
  ];
}

function describeVisitor({ anonymousId, userId, page }: DemoReport['visitor'], flag: string): string[] {
  return [
    `${anonymousId} looked at three products, signed in as ${userId}, and bought: one profile, whose page is`,
    `./perennial profile show ${userId} ${flag}`,
    '',
    ...formatProfilePage(page)
      .text.split('\n')
      .map((line) => (line === '' ? '' : `  ${line}`)),
  ];
}

/** A profile with transitions or actions. */
function toCurl(
  { examples }: DemoReport,
  { namespace, urls }: { readonly namespace: string; readonly urls: Readonly<Record<string, string>> },
): string[] {
  const userId = examples[0]?.userId;
  const url = urls['feature-store'];
  return userId === null || userId === undefined || url === undefined
    ? []
    : [
        `curl -H "authorization: Bearer $(./perennial tokens local --namespace ${namespace})" ${url}/v1/features/${encodeURIComponent(userId)}`,
      ];
}

function count(number: number): string {
  return number.toLocaleString('en-US');
}
