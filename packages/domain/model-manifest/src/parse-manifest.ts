import { createProblems, findRepeated, isObject, isText, type Problems, readList, toText } from './fields.js';
import {
  FEATURES_MAX,
  type FeatureReference,
  MANIFEST_BYTES_MAX,
  MANIFEST_FORMAT_VERSION,
  type ModelManifest,
  TENSORS_MAX,
  type TensorDeclaration,
} from './manifest.js';
import { readHeads } from './parse-heads.js';

export type ManifestResult = { readonly manifest: ModelManifest } | { readonly problems: readonly string[] };

/** Parses a manifest (JSON bytes, or the object). Reports all problems at once; unknown fields are dropped. */
export function parseManifest(source: Uint8Array | Record<string, unknown>): ManifestResult {
  if (source instanceof Uint8Array && source.length > MANIFEST_BYTES_MAX) {
    return { problems: [`manifest.json has ${source.length} bytes, ${MANIFEST_BYTES_MAX} at most are allowed`] };
  }
  const value = source instanceof Uint8Array ? parseJson(source) : source;
  if (!isObject(value)) return { problems: ['manifest.json is not a JSON object'] };
  const problems = createProblems();
  const head = readHeader(value, problems);
  const inputs = readTensors(value.inputs, 'inputs', problems);
  const outputs = readTensors(value.outputs, 'outputs', problems);
  const features = readFeatures(value.features, problems);
  const heads = readHeads(value.heads, outputs.length === 0 ? undefined : outputs, problems);
  if (problems.found.length === 0) checkShapes({ inputs, outputs, features }, problems);
  if (head === undefined || problems.found.length > 0) return { problems: problems.found };
  const slots = new Map(heads.map(({ name }, slot) => [name, slot]));
  return { manifest: { ...head, inputs, outputs, features, heads, slots } };
}

type Header = Pick<ModelManifest, 'name' | 'kind' | 'file'>;

function readHeader(value: Record<string, unknown>, problems: Problems): Header | undefined {
  const { formatVersion, name, kind } = value;
  const file = isObject(value.file) ? value.file : {};
  const sound = [
    problems.check(
      formatVersion === MANIFEST_FORMAT_VERSION,
      `formatVersion must be ${MANIFEST_FORMAT_VERSION}, it is ${toText(formatVersion)}`,
    ),
    problems.check(isText(name, 100), 'name must be a text of 1 to 100 characters'),
    problems.check(kind === 'tabular', `kind must be "tabular", it is ${toText(kind)}`),
    problems.check(isText(file.name) && !/[/\\]/.test(file.name), 'file.name must be a file name without a path'),
    problems.check(isHash(file.sha256), 'file.sha256 must be 64 hex digits'),
  ].every(Boolean);
  // Each has been checked above.
  return sound ? ({ name, kind, file: { name: file.name, sha256: file.sha256 } } as Header) : undefined;
}

function readTensors(value: unknown, name: 'inputs' | 'outputs', problems: Problems): readonly TensorDeclaration[] {
  const tensors = readList(value, { name, of: 'tensors', itemsMax: TENSORS_MAX }, problems, (item, where) =>
    readTensor(item, where, problems),
  );
  for (const repeated of findRepeated(tensors.map((tensor) => tensor.name))) {
    problems.add(`the tensor ${repeated} is declared twice`);
  }
  return tensors;
}

function readTensor(item: unknown, where: string, problems: Problems): TensorDeclaration | undefined {
  if (!isObject(item)) {
    problems.add(`${where} must be an object`);
    return undefined;
  }
  const { name, dtype, shape } = item;
  const isDimension = (size: unknown) => size === null || (Number.isSafeInteger(size) && Number(size) > 0);
  const sound = [
    problems.check(isText(name), `${where}.name must be a text`),
    problems.check(
      dtype === 'float32' || dtype === 'float64',
      `${where}.dtype must be float32 or float64, it is ${toText(dtype)}`,
    ),
    problems.check(
      Array.isArray(shape) && shape.every(isDimension),
      `${where}.shape must be a list of sizes, null for the rows`,
    ),
  ].every(Boolean);
  return sound ? ({ name, dtype, shape } as TensorDeclaration) : undefined;
}

function readFeatures(value: unknown, problems: Problems): readonly FeatureReference[] {
  const features = readList(
    value,
    { name: 'features', of: 'features', itemsMax: FEATURES_MAX },
    problems,
    (item, where) => {
      const { name, hash } = isObject(item) ? item : {};
      const sound = problems.check(
        isText(name) && isText(hash) && /^[0-9a-f]{64}$/.test(hash),
        `${where} must be {"name": TEXT, "hash": 64 hex digits}`,
      );
      return sound ? { name: name as string, hash: hash as string } : undefined;
    },
  );
  for (const name of findRepeated(features.map((feature) => feature.name))) {
    problems.add(`the feature ${name} is named twice`);
  }
  return features;
}

/** Checks the tensors of a tabular model: one row of features in; a number or a row of numbers per row out. */
function checkShapes(
  { inputs, outputs, features }: Pick<ModelManifest, 'inputs' | 'outputs' | 'features'>,
  problems: Problems,
): void {
  problems.check(inputs.length === 1, `a tabular model has one input, this has ${inputs.length}`);
  for (const { name, shape } of inputs.slice(0, 1)) {
    problems.check(
      shape.length === 2 && shape[0] === null && shape[1] === features.length,
      `input ${name} must have shape [null,${features.length}] for ${features.length} features, it has ${JSON.stringify(shape)}`,
    );
  }
  for (const { name, dtype } of [...inputs, ...outputs]) {
    problems.check(dtype === 'float32', `tensor ${name} must be float32 in a tabular model`);
  }
  for (const { name, shape } of outputs) {
    problems.check(
      shape[0] === null && (shape.length === 1 || (shape.length === 2 && shape[1] !== null)),
      `output ${name} must have shape [null] or [null, columns], it has ${JSON.stringify(shape)}`,
    );
  }
}

function isHash(value: unknown): boolean {
  return typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return undefined;
  }
}
