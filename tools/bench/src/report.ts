import type { Measured } from './measure.js';
import type { BenchReport } from './run-chain-bench.js';
import { toMedian } from './statistics.js';

const number = (value: number, digits = 0) =>
  value.toLocaleString('en-US', { maximumFractionDigits: digits, minimumFractionDigits: digits });

/** The report as text: medians over rounds, then the ratio real/empty, then CPU by process. */
export function formatReport({ options, runs, profileBytes }: BenchReport): string {
  const loads = [...new Set(runs.map(({ load }) => load))];
  const lines = [
    `chain bench: ${options.rounds} round(s), medians; ${options.batchEvents} events a request, ${options.newPercent} % by new customers, ${options.partitions} partitions, ${options.oneProcess ? 'one process' : 'a process a service'}, seed ${options.seed}`,
    '',
    'load       chain   events/s   ack->action p50/p99 ms   append->action p50/p99 ms   skipped',
  ];
  for (const load of loads) {
    for (const chain of options.chains) lines.push(toRow(load, chain, select(runs, load, chain)));
    if (options.chains.length === 2) lines.push(toRatio(load, select(runs, load, 'empty'), select(runs, load, 'real')));
  }
  lines.push('', 'CPU, microseconds an event');
  for (const load of loads) {
    for (const chain of options.chains)
      lines.push(`${load.padEnd(10)} ${chain.padEnd(6)} ${toCpu(select(runs, load, chain))}`);
  }
  const bytes = Object.entries(profileBytes).map(([name, size]) => `${name} ${number(size)}`);
  lines.push('', `Redis bytes a profile: ${bytes.join(', ')}`);
  return lines.join('\n');
}

function select(runs: readonly Measured[], load: string, chain: Measured['chain']): Measured[] {
  return runs.filter((run) => run.load === load && run.chain === chain);
}

function toRow(load: string, chain: string, runs: readonly Measured[]): string {
  const median = (of: (run: Measured) => number) => number(toMedian(runs.map(of)));
  return [
    load.padEnd(10),
    chain.padEnd(6),
    median((run) => run.eventsPerSecond).padStart(9),
    `${median((run) => run.fromAckMs.p50)} / ${median((run) => run.fromAckMs.p99)}`.padStart(24),
    `${median((run) => run.fromAppendMs.p50)} / ${median((run) => run.fromAppendMs.p99)}`.padStart(27),
    median((run) => run.skipped).padStart(9),
  ].join(' ');
}

function toRatio(load: string, empty: readonly Measured[], real: readonly Measured[]): string {
  const ratio = (of: (run: Measured) => number) => number(toMedian(real.map(of)) / toMedian(empty.map(of)), 2);
  return `${load.padEnd(10)} b/a    ${ratio((run) => run.eventsPerSecond).padStart(9)}${`${ratio((run) => run.fromAckMs.p50)} / ${ratio((run) => run.fromAckMs.p99)}`.padStart(25)}`;
}

function toCpu(runs: readonly Measured[]): string {
  const names = Object.keys(runs[0]?.cpuMicrosPerEvent ?? {});
  return names
    .map((name) => `${name} ${number(toMedian(runs.map((run) => run.cpuMicrosPerEvent[name] ?? 0)))}`)
    .join(', ');
}
