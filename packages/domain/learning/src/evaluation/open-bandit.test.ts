import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { evaluate } from './evaluate.js';
import type { LoggedRow, TargetPolicy } from './row.js';

/**
 * Open Bandit (Saito et al. 2021): the same shop logged uniform draws and Thompson sampling side by side, so each log tells
 * the truth about the other. 14 MB, hence not in this repository:
 * `git clone https://github.com/st-tech/zr-obp`, then `OPEN_BANDIT_DIR=zr-obp/obp/dataset/obd` in the environment.
 */
const FOLDER = process.env.OPEN_BANDIT_DIR ?? '';
const POSITIONS = [1, 2, 3];
type Row = LoggedRow & { readonly position: number };

function readLog(policy: 'random' | 'bts', campaign: string): readonly Row[] {
  const file = join(FOLDER, policy, campaign, `${campaign}.csv`);
  const [, ...lines] = readFileSync(file, 'utf8').trim().split('\n');
  return lines.map((line, index) => {
    const [, , option = '', position, reward, propensity] = line.split(',');
    const place = `${file}:${index + 2}`;
    const features = POSITIONS.map((other) => (other === Number(position) ? 1 : 0));
    return {
      option,
      position: Number(position),
      reward: Number(reward),
      propensity: Number(propensity),
      features,
      place,
    };
  });
}

/** How often Thompson sampling drew each item at each position: its mean probabilities over the week. */
function toFrequencies(rows: readonly Row[], options: readonly string[]): TargetPolicy {
  const byPosition = new Map(
    POSITIONS.map((position) => {
      const here = rows.filter((row) => row.position === position);
      return [position, options.map((option) => here.filter((row) => row.option === option).length / here.length)];
    }),
  );
  return (row) => byPosition.get((row as Row).position) ?? [];
}

(existsSync(FOLDER) ? describe : describe.skip)('Open Bandit, in OPEN_BANDIT_DIR', () => {
  describe.each(['men', 'women'])('campaign %s', (campaign) => {
    it.each([
      ['random', 'bts'],
      ['bts', 'random'],
    ] as const)('the log of %s tells what %s brought', (from, to) => {
      const [log, other] = [readLog(from, campaign), readLog(to, campaign)];
      const options = [...new Set([...log, ...other].map(({ option }) => option))].sort();
      const policy = to === 'bts' ? toFrequencies(other, options) : () => options.map(() => 1 / options.length);
      const { problems, figures } = evaluate(log, policy, { options, ridge: 100 });
      const truth = evaluate(other, policy, { options }).figures?.logged;
      if (figures === undefined || truth === undefined) throw new Error('no figures');
      process.stdout.write(`${JSON.stringify({ campaign, from, to, truth: truth.estimate, ...figures })}\n`);
      expect(problems).toEqual([]);
      for (const figure of [figures.ips, figures.snips, figures.dr, figures.switchDr]) {
        // The truth is a mean of 10,000 rows itself.
        const error = Math.hypot(figure.standardError, truth.standardError);
        expect(Math.abs(figure.estimate - truth.estimate)).toBeLessThan(1.96 * error);
      }
    });
  });
});
