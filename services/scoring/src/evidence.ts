import type { FeaturesUpdated } from '@perennial/contracts';
import type { FeatureSpecs } from '@perennial/feature-engine';
import { must } from '@perennial/kernel';
import type { StepItem } from '@perennial/keyed-processor';
import type { ScoredRows } from '@perennial/onnx';
import type { ScoringArtifacts } from './artifacts.js';
import type { ScoredModel, ScoringEvidence } from './domain/scoring-evidence.js';
import type { ScoringState } from './domain/state.js';
import type { ItemVector } from './domain/step.js';
import { toVector } from './domain/step.js';
import { readRow } from './row-scores.js';
import type { ScoringModel } from './scoring-model.js';
import type { ScoringTelemetry } from './telemetry.js';

type Item = StepItem<ScoringState, FeaturesUpdated>;

type InForce = Item['context']['inForce'];
type RulesOfStep = Pick<ScoringEvidence, 'lifecycle' | 'segments'>;

interface PrepareDeps {
  readonly artifacts: ScoringArtifacts;
  readonly telemetry: ScoringTelemetry;
  readonly specs: FeatureSpecs;
}

/** Computes the evidence of a batch: one run per model in force (several only during a switch between models). */
export function createPrepare({ artifacts, telemetry, specs }: PrepareDeps) {
  return async function prepare(items: readonly Item[]): Promise<ScoringEvidence[]> {
    const vectors = items.map((item) => toVector(item, specs));
    const scored = await scoreBatch(items, vectors);
    const rules = await loadRules(items);
    return items.map(({ context: { inForce } }, index) => {
      const { lifecycle, segments } = must(rules.get(inForce), 'rules');
      return { ...must(vectors[index], 'vector'), model: scored[index], lifecycle, segments };
    });
  };

  /** Once for all items under the same rollouts, which is nearly always the whole batch. */
  async function loadRules(items: readonly Item[]): Promise<ReadonlyMap<InForce, RulesOfStep>> {
    const rules = new Map<InForce, RulesOfStep>();
    for (const { context } of items) {
      const { inForce } = context;
      if (rules.has(inForce)) continue;
      const lifecycle = await artifacts.lifecycleInForce(inForce);
      rules.set(inForce, { lifecycle, segments: await artifacts.segmentsInForce(inForce) });
    }
    return rules;
  }

  async function scoreBatch(
    items: readonly Item[],
    vectors: readonly ItemVector[],
  ): Promise<Array<ScoredModel | undefined>> {
    const scored = new Array<ScoredModel | undefined>(items.length).fill(undefined);
    const byModel = new Map<string, number[]>();
    items.forEach(({ context }, index) => {
      const hash = context.inForce.get('model')?.hash;
      if (hash === undefined || vectors[index]?.values.length === 0) return;
      const group = byModel.get(hash);
      if (group === undefined) byModel.set(hash, [index]);
      else group.push(index);
    });
    // Items of one batch are of one partition.
    const lane = String(items[0]?.context.partition ?? 0);
    for (const [hash, indexes] of byModel) {
      const model = await artifacts.model(hash);
      const { manifest } = model;
      const found = await telemetry.timeInference(indexes.length, () =>
        scoreRows(model, { indexes, vectors, specs, lane }),
      );
      indexes.forEach((index, row) => {
        const scores = readRow(manifest, found, row);
        if ('problem' in scores) telemetry.rowFailed({ modelHash: hash, ...scores });
        scored[index] = { hash, manifest, scores };
      });
    }
    return scored;
  }
}

function scoreRows(
  { manifest, graph }: ScoringModel,
  {
    indexes,
    vectors,
    specs,
    lane,
  }: { indexes: readonly number[]; vectors: readonly ItemVector[]; specs: FeatureSpecs; lane: string },
): Promise<ScoredRows> {
  const features = manifest.features.length;
  const rows = new Float32Array(indexes.length * features);
  indexes.forEach((index, row) => {
    const { spec, values } = must(vectors[index], 'vector');
    const places = specs.findPlaces(spec, manifest.features);
    for (let column = 0; column < features; column += 1) {
      rows[row * features + column] = must(values[places[column] ?? -1], 'a feature that the model needs');
    }
  });
  return graph.score(rows, lane);
}
