/** What a model of kind `tabular` answers, one number a row each. */
export const TABULAR_OUTPUTS = ['purchase_probability', 'churn_probability', 'expected_spend'] as const;

export type TabularOutput = (typeof TABULAR_OUTPUTS)[number];

export const MANIFEST_FORMAT_VERSION = 1;

export type TensorDtype = 'float32' | 'float64';

/** A tensor as declared: `null` is the number of rows, which varies. */
export interface TensorDeclaration {
  readonly name: string;
  readonly dtype: TensorDtype;
  readonly shape: ReadonlyArray<number | null>;
}

/** The part of `manifest.json` that the code relies on; other fields (metrics, training range) are for people. */
export interface ModelManifest {
  readonly formatVersion: typeof MANIFEST_FORMAT_VERSION;
  readonly name: string;
  readonly kind: 'tabular';
  readonly file: { readonly name: string; readonly sha256: string };
  readonly inputs: readonly TensorDeclaration[];
  readonly outputs: readonly TensorDeclaration[];
  readonly featureSpecHash: string;
  readonly featureNames: readonly string[];
}

export type ManifestResult = { readonly manifest: ModelManifest } | { readonly problems: readonly string[] };

/** Reads a manifest (JSON bytes, or the object); all problems at once, unknown fields are kept out of the way. */
export function parseManifest(source: Uint8Array | Record<string, unknown>): ManifestResult {
  const value = source instanceof Uint8Array ? parseJson(source) : source;
  if (!isObject(value)) return { problems: ['manifest.json is not a JSON object'] };
  const problems: string[] = [];
  const check = (holds: boolean, problem: string) => holds || problems.push(`manifest.json: ${problem}`);

  check(
    value.formatVersion === MANIFEST_FORMAT_VERSION,
    `formatVersion must be ${MANIFEST_FORMAT_VERSION}, it is ${toText(value.formatVersion)}`,
  );
  check(isText(value.name), 'name must be a text');
  check(value.kind === 'tabular', `kind must be "tabular", it is ${toText(value.kind)}`);
  const file = isObject(value.file) ? value.file : {};
  check(isText(file.name) && !/[/\\]/.test(String(file.name)), 'file.name must be a file name without a path');
  check(/^[0-9a-f]{64}$/.test(String(file.sha256)), 'file.sha256 must be 64 hex digits');
  check(isText(value.featureSpecHash), 'featureSpecHash must be a text');
  const names = value.featureNames;
  check(Array.isArray(names) && names.length > 0 && names.every(isText), 'featureNames must be a list of names');
  for (const list of ['inputs', 'outputs'] as const) {
    const tensors = value[list];
    if (!Array.isArray(tensors)) problems.push(`manifest.json: ${list} must be a list of tensors`);
    else problems.push(...tensors.flatMap((tensor, index) => listTensorProblems(tensor, `${list}[${index}]`)));
  }
  if (problems.length > 0) return { problems };
  const manifest = value as unknown as ModelManifest;
  const unfit = listShapeProblems(manifest);
  return unfit.length > 0 ? { problems: unfit } : { manifest };
}

/** What a tabular model's declared tensors must look like: one row of features in, one number a row out. */
function listShapeProblems(manifest: ModelManifest): string[] {
  const problems: string[] = [];
  const features = manifest.featureNames.length;
  const input = manifest.inputs[0];
  if (input === undefined || manifest.inputs.length !== 1) {
    problems.push(`manifest.json: a tabular model has one input, this has ${manifest.inputs.length}`);
  } else if (input.shape.length !== 2 || input.shape[0] !== null || input.shape[1] !== features) {
    problems.push(
      `manifest.json: input ${input.name} must have shape [null,${features}] for ${features} featureNames, it has ${JSON.stringify(input.shape)}`,
    );
  }
  for (const name of TABULAR_OUTPUTS) {
    const output = manifest.outputs.find((candidate) => candidate.name === name);
    if (output === undefined) problems.push(`manifest.json: output ${name} is missing`);
    else if (output.dtype !== 'float32') problems.push(`manifest.json: output ${name} must be float32`);
    else if (output.shape.length !== 1 || output.shape[0] !== null) {
      problems.push(`manifest.json: output ${name} must have shape [null], it has ${JSON.stringify(output.shape)}`);
    }
  }
  if (input !== undefined && input.dtype !== 'float32') {
    problems.push(`manifest.json: input ${input.name} must be float32`);
  }
  return problems;
}

function listTensorProblems(tensor: unknown, where: string): string[] {
  if (!isObject(tensor)) return [`manifest.json: ${where} must be an object`];
  const problems: string[] = [];
  if (!isText(tensor.name)) problems.push(`manifest.json: ${where}.name must be a text`);
  if (tensor.dtype !== 'float32' && tensor.dtype !== 'float64') {
    problems.push(`manifest.json: ${where}.dtype must be float32 or float64, it is ${toText(tensor.dtype)}`);
  }
  const shape = tensor.shape;
  const isDimension = (size: unknown) => size === null || (Number.isInteger(size) && Number(size) > 0);
  if (!Array.isArray(shape) || !shape.every(isDimension)) {
    problems.push(`manifest.json: ${where}.shape must be a list of sizes, null for the rows`);
  }
  return problems;
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0;
}

function toText(value: unknown): string {
  return value === undefined ? 'missing' : JSON.stringify(value);
}
