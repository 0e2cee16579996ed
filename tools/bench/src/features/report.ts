import { toPercentile } from '../statistics.js';
import { type FeaturesBenchReport, READERS } from './run-features-bench.js';

/** The report as text: percentiles over all reads of all rounds, and the ratio to each of Feast's. */
export function formatFeaturesReport(report: FeaturesBenchReport): string {
  const { options, feastVersion, features } = report;
  const lines = [
    `features bench: ${features} features, ${options.profiles} profiles, ${options.reads} reads of each size in each of ${options.rounds} rounds, seed ${options.seed}; Feast ${feastVersion}`,
    '',
    'profiles   reader            p50 ms    p99 ms   Perennial / it, p50    p99',
  ];
  for (const rows of options.rows) {
    const own = toFigures(report, rows, 'perennial-http');
    for (const reader of READERS) {
      const { p50, p99 } = toFigures(report, rows, reader);
      const ratios =
        reader === 'perennial-http' ? '' : `${toText(own.p50 / p50).padStart(22)} ${toText(own.p99 / p99).padStart(6)}`;
      const cells = [String(rows).padEnd(10), reader.padEnd(15), toText(p50).padStart(8), toText(p99).padStart(9)];
      lines.push(`${cells.join(' ')}${ratios}`);
    }
  }
  return lines.join('\n');
}

function toFigures({ runs }: FeaturesBenchReport, rows: number, reader: string): { p50: number; p99: number } {
  const all = runs.filter((run) => run.rows === rows && run.reader === reader).flatMap(({ ms }) => ms);
  return { p50: toPercentile(all, 0.5), p99: toPercentile(all, 0.99) };
}

function toText(value: number): string {
  return value.toFixed(2);
}
