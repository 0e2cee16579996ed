import type { FeaturesUpdated, Rollout } from '@perennial/contracts';
import type { FeatureSpecs } from '@perennial/feature-engine';
import { must } from '@perennial/kernel';
import type { StepItem } from '@perennial/keyed-processor';
import type { Model, Scores } from '@perennial/onnx';
import type { Contents } from './contents.js';
import type { ProfileScores, ScoringState } from './domain/state.js';
import type { ItemVector, ScoringEvidence } from './domain/step.js';
import { toVector } from './domain/step.js';
import type { ScoringEvents } from './events.js';

type Item = StepItem<ScoringState, FeaturesUpdated>;

interface PrepareDeps {
  readonly contents: Contents;
  readonly events: ScoringEvents;
  readonly specs: FeatureSpecs;
}

/** Computes the evidence of a whole batch: one model run for each model in force (several only while a switch is under way). */
export function createPrepare({ contents, events, specs }: PrepareDeps) {
  return async function prepare(items: readonly Item[]): Promise<ScoringEvidence[]> {
    const vectors = items.map((item) => toVector(item, specs));
    const scores = await scoreBatch(items, vectors);
    const charts = await loadCharts(items);
    return items.map(({ context }, index) => {
      const vector = must(vectors[index], 'vector');
      const chart = context.inForce.get('lifecycle');
      return {
        ...vector,
        scores: scores[index],
        modelHash: context.inForce.get('model')?.hash ?? '',
        lifecycle: chart && charts.get(chart),
      };
    });
  };

  /** The charts in force: mostly one for the whole batch. */
  async function loadCharts(items: readonly Item[]): Promise<Map<Rollout, ScoringEvidence['lifecycle']>> {
    const charts = new Map<Rollout, ScoringEvidence['lifecycle']>();
    for (const { context } of items) {
      const rollout = context.inForce.get('lifecycle');
      if (rollout === undefined || charts.has(rollout)) continue;
      charts.set(rollout, {
        chart: await contents.lifecycle(rollout.hash, specs.inForce(context.inForce.get('features'))),
        number: rollout.number,
      });
    }
    return charts;
  }

  async function scoreBatch(
    items: readonly Item[],
    vectors: readonly ItemVector[],
  ): Promise<Array<ProfileScores | undefined>> {
    const scores = new Array<ProfileScores | undefined>(items.length).fill(undefined);
    const byModel = new Map<string, number[]>();
    items.forEach(({ context }, index) => {
      const hash = context.inForce.get('model')?.hash;
      if (hash === undefined || vectors[index]?.values.length === 0) return;
      const group = byModel.get(hash);
      if (group === undefined) byModel.set(hash, [index]);
      else group.push(index);
    });
    for (const [hash, indexes] of byModel) {
      const model = await contents.model(hash);
      const found = await events.timeInference(indexes.length, () => scoreRows(model, indexes, vectors));
      indexes.forEach((index, row) => {
        scores[index] = toProfileScores(found, row);
      });
    }
    return scores;
  }
}

function scoreRows(
  model: Model,
  indexes: readonly number[],
  vectors: ReadonlyArray<{ values: readonly number[] }>,
): Promise<Scores> {
  const features = model.manifest.featureNames.length;
  const rows = new Float32Array(indexes.length * features);
  indexes.forEach((index, row) => {
    rows.set(must(vectors[index], 'vector').values, row * features);
  });
  return model.score(rows);
}

function toProfileScores(scores: Scores, row: number): ProfileScores {
  return {
    purchase: scores.purchase_probability[row] ?? 0,
    churn: scores.churn_probability[row] ?? 0,
    expectedSpend: scores.expected_spend[row] ?? 0,
  };
}
