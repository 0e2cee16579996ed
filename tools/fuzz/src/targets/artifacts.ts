import { parseLifecycle } from '@perennial/lifecycle';
import { parsePolicy } from '@perennial/policy';
import { Draw } from '../draw.js';
import type { CaseResult, FuzzTarget } from '../target.js';

const LIFECYCLE = `version: 1
name: shop
initial: prospect
stages:
  prospect:
    description: Known, but has not bought yet
    transitions:
      - to: new
      - to: dormant
        absence: 90d
  new:
    enter: features.orders_count_all >= 1
    recheck: 7d
    transitions:
      - to: dormant
        when: scores.churn_probability > 0.8
        reason: likely gone
  dormant:
    minDwell: 1d
    transitions:
      - to: new
        back: true
`;
const POLICY = `version: 1
name: shop
timeZone: UTC
quietHours: { from: "21:00", to: "08:00" }
holdout: { share: 0.1, salt: spring }
caps:
  - { max: 1, per: 1d }
channels:
  email:
    caps: [{ max: 2, per: 7d }]
strategies:
  win-back:
    stages: [dormant]
    on: scored
    channel: email
    template: win-back
    parameters: { coupon: AGAIN10 }
    cost: 0.5
    cooldown: 14d
    when: scores.churn_probability > 0.5
    expiry: 3d
`;
const FEATURE_NAMES = ['orders_count_all', 'orders_recency_days'];
const FILE = 'artifact.yaml';
/** A thousand times what a person writes. */
const REPEATS_MAX = 5_000;
const JUNK = [
  '{',
  '[',
  '&a',
  '*a',
  '<<: *a',
  '!!binary x',
  '? ',
  '---',
  '"',
  '\t',
  '\u2028',
  '\u0000',
  '🜁',
  ': :',
] as const;
const VALUES = ['', '1e999', '-1', 'null', '[]', '{}', "'", '99999d'] as const;

type Edit = (lines: string[], draw: Draw) => void;

/** What people, programs and attackers do to a file. */
const EDITS: readonly [Edit, ...Edit[]] = [
  (lines, draw) => lines.splice(at(lines, draw), 1),
  (lines, draw) => lines.splice(at(lines, draw), 0, lines[at(lines, draw)] ?? ''),
  (lines, draw) => lines.splice(at(lines, draw), 0, `${' '.repeat(draw.whole(0, 8))}${draw.pick(JUNK)}`),
  (lines, draw) => change(lines, draw, (line) => line.replace(/\w/, draw.pick(JUNK))),
  (lines, draw) => change(lines, draw, (line) => line.slice(0, draw.whole(0, line.length))),
  (lines, draw) => change(lines, draw, (line) => line.replace(/:.*/, `: ${draw.pick(VALUES)}`)),
  (lines, draw) => change(lines, draw, (line) => line.replace(/(\w)(\w)/, '$2$1')),
  (lines, draw) => lines.push(...draw.list(draw.whole(1, REPEATS_MAX), (i) => `unknown_${i}: ${i}`)),
  (lines, draw) => lines.push(`deep: ${'['.repeat(draw.whole(1, REPEATS_MAX))}`),
  (lines, draw) => lines.push('a0: &a0 [x]', ...draw.list(draw.whole(1, 60), toAliases)),
];

/** A chart or a policy, as written or spoilt: it is read, or each problem is named with its line. */
export const artifacts: FuzzTarget = {
  description: 'charts and policies as YAML: spoilt, huge, deep, with anchors',
  run(seed): CaseResult {
    const draw = new Draw(seed);
    const isPolicy = draw.chance(0.5);
    const lines = (isPolicy ? POLICY : LIFECYCLE).split('\n');
    for (let edits = draw.whole(0, 3); edits > 0; edits--) draw.pick(EDITS)(lines, draw);
    const text = lines.join('\n');
    const options = { fileName: FILE, featureNames: FEATURE_NAMES, headNames: ['churn_probability'] };
    const parsed = isPolicy ? parsePolicy(text, options) : parseLifecycle(text, options);
    if (parsed.ok) return { results: ['read'] };
    const lineCount = text.split('\n').length;
    const wrong = parsed.problems.find(
      ({ line, column, message }) => line > lineCount || column < 1 || message.trim() === '',
    );
    if (wrong === undefined && parsed.problems.length > 0) return { results: ['named problems'] };
    const problem = wrong === undefined ? 'no problem was named' : `a problem without a line: ${JSON.stringify(wrong)}`;
    return { results: ['wrong'], problem: `${problem}\n${text.slice(0, 2_000)}` };
  },
};

/** Each list names the one before nine times: sixty of them stand for 9^60 values. */
function toAliases(index: number): string {
  return `a${index + 1}: &a${index + 1} [${`*a${index},`.repeat(9)}]`;
}

function at(lines: readonly string[], draw: Draw): number {
  return draw.whole(0, Math.max(0, lines.length - 1));
}

function change(lines: string[], draw: Draw, edit: (line: string) => string): void {
  const index = at(lines, draw);
  lines[index] = edit(lines[index] ?? '');
}
