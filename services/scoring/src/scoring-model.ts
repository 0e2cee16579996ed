import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type CompiledFeatures, describeMissing } from '@perennial/feature-engine';
import { AppError } from '@perennial/kernel';
import { listFileProblems, MANIFEST_BYTES_MAX, type ModelManifest, parseManifest } from '@perennial/model-manifest';
import { GRAPH_BYTES_MAX, type GraphDeclaration, type Model } from '@perennial/onnx';
import { readRow } from './row-scores.js';

/** A model ready to score: its manifest, and the graph. */
export interface ScoringModel {
  readonly manifest: ModelManifest;
  readonly graph: Model;
}

/** Opens a graph: in a process of its own, or in a test in this one. */
export type LoadGraph = (file: Buffer, graph: GraphDeclaration) => Promise<Model>;

/** A model folder in memory: `manifest.json`, and the file that it names. */
export interface ModelFiles {
  readonly manifest: Buffer;
  readonly file: Buffer;
}

/** Reads a model folder; throws `artifact_invalid` when a file is missing or too large. */
export async function readModelFolder(folder: string): Promise<ModelFiles> {
  const manifest = await readPart(folder, { name: 'manifest.json', bytesMax: MANIFEST_BYTES_MAX });
  const parsed = parseManifest(manifest);
  // A manifest with problems is rejected later, with all of them; until then the usual file name is assumed.
  const name = 'manifest' in parsed ? parsed.manifest.file.name : 'model.onnx';
  return { manifest, file: await readPart(folder, { name, bytesMax: GRAPH_BYTES_MAX }) };
}

/** A valid manifest; throws `artifact_invalid` with all problems. */
export function readManifest(bytes: Buffer): ModelManifest {
  const parsed = parseManifest(bytes);
  if ('problems' in parsed) throw toRejection(parsed.problems);
  return parsed.manifest;
}

/** Opens the model after all possible checks; throws `artifact_invalid` with all reasons. */
export async function openScoringModel(manifest: ModelManifest, file: Buffer, load: LoadGraph): Promise<ScoringModel> {
  const problems = listFileProblems(manifest, file);
  if (problems.length > 0) throw toRejection(problems);
  const { inputs, outputs, heads } = manifest;
  const model = { manifest, graph: await load(file, { inputs, outputs, heads }) };
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

/** Values of the rows on which every valid model must work: no feature known, all of them zero, all of them one. */
const PROBES = [Number.NaN, 0, 1] as const;

/** Rows of the probes, as many as the largest run has: so its time and memory are tried too. */
const PROBE_ROWS = 512;

async function findScoreProblem({ manifest, graph }: ScoringModel): Promise<string | undefined> {
  const width = manifest.features.length;
  const toProbe = (row: number) => PROBES[row % PROBES.length] as number;
  const rows = Float32Array.from({ length: PROBE_ROWS * width }, (_, index) => toProbe(Math.floor(index / width)));
  const scored = await graph.score(rows);
  for (let row = 0; row < PROBE_ROWS; row++) {
    const found = readRow(manifest, scored, row);
    if ('problem' in found) return `${found.problem} (all features ${toProbe(row)})`;
  }
  return undefined;
}

function toRejection(problems: readonly string[]): AppError {
  return new AppError('artifact_invalid', `the model is rejected: ${problems.join('; ')}`, { details: { problems } });
}

async function readPart(
  folder: string,
  { name, bytesMax }: { readonly name: string; readonly bytesMax: number },
): Promise<Buffer> {
  const path = join(folder, name);
  const found = await stat(path).catch((cause: unknown) => {
    throw new AppError('artifact_invalid', `cannot read ${path}`, { cause });
  });
  // A pipe or a device may never end.
  if (!found.isFile()) throw new AppError('artifact_invalid', `${path} is no file`);
  if (found.size > bytesMax) {
    throw new AppError('artifact_invalid', `${path} has ${found.size} bytes, ${bytesMax} at most are allowed`);
  }
  return readFile(path);
}
