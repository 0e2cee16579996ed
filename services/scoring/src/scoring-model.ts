import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CompiledFeatures, describeMissing } from '@perennial/feature-engine';
import { AppError } from '@perennial/kernel';
import { checkScores, listFileProblems, type ModelManifest, parseManifest } from '@perennial/model-manifest';
import { type ExecutionProvider, loadModel, type Model } from '@perennial/onnx';

/** A model ready to score: its manifest, and the graph. */
export interface ScoringModel {
  readonly manifest: ModelManifest;
  readonly graph: Model;
}

/** A model folder in memory: `manifest.json`, and the file that it names. */
export interface ModelFiles {
  readonly manifest: Buffer;
  readonly file: Buffer;
}

/** Reads a model folder; throws `artifact_invalid` when a file is missing. */
export async function readModelFolder(folder: string): Promise<ModelFiles> {
  const manifest = await readPart(folder, 'manifest.json');
  const parsed = parseManifest(manifest);
  // A manifest with problems is rejected later, with all of them; until then the usual file name is assumed.
  const name = 'manifest' in parsed ? parsed.manifest.file.name : 'model.onnx';
  return { manifest, file: await readPart(folder, name) };
}

/** A valid manifest; throws `artifact_invalid` with all problems. */
export function readManifest(bytes: Buffer): ModelManifest {
  const parsed = parseManifest(bytes);
  if ('problems' in parsed) throw toRejection(parsed.problems);
  return parsed.manifest;
}

/** Opens the model after all possible checks; throws `artifact_invalid` with all reasons. */
export async function openScoringModel(
  manifest: ModelManifest,
  file: Buffer,
  { providers }: { readonly providers: readonly ExecutionProvider[] },
): Promise<ScoringModel> {
  const problems = listFileProblems(manifest, file);
  if (problems.length > 0) throw toRejection(problems);
  const { inputs, outputs, heads } = manifest;
  const model = { manifest, graph: await loadModel(file, { inputs, outputs, heads }, { providers }) };
  const problem = await findScoreProblem(model);
  if (problem === undefined) return model;
  await model.graph.release();
  throw toRejection([problem]);
}

/** Why a model cannot score the vectors of a spec; undefined when it can. Further features and order do not matter. */
export function findFeatureProblem({ features }: ModelManifest, spec: CompiledFeatures): string | undefined {
  const missing = describeMissing(features, spec);
  return missing && `it needs features that the spec in force does not have: ${missing}`;
}

/** Rows on which every valid model must work: of a profile without any known feature, of zeros, and of ones. */
async function findScoreProblem({ manifest, graph }: ScoringModel): Promise<string | undefined> {
  for (const value of [Number.NaN, 0, 1]) {
    const row = new Float32Array(manifest.features.length).fill(value);
    const checked = checkScores(manifest, await graph.score(row));
    if ('problem' in checked) return `${checked.problem} (all features ${value})`;
  }
  return undefined;
}

function toRejection(problems: readonly string[]): AppError {
  return new AppError('artifact_invalid', `the model is rejected: ${problems.join('; ')}`, { details: { problems } });
}

async function readPart(folder: string, name: string): Promise<Buffer> {
  const path = join(folder, name);
  try {
    return await readFile(path);
  } catch (cause) {
    throw new AppError('artifact_invalid', `cannot read ${path}`, { cause });
  }
}
