import { AppError, must } from '@perennial/kernel';
import { type Attribute, type AttributeValue, reorderAttributes } from './attributes.js';
import { readSpecPrefix } from './codec.js';
import { type CompiledFeatures, compileFeatures, type FeatureName } from './compile.js';
import type { FeatureDefinition, FeatureRules } from './definition.js';
import { toSpecTag } from './spec-tag.js';
import type { EngineState } from './state.js';

/** What a rollout of kind `features` holds of its artifact. */
interface FeaturesRollout {
  readonly hash: string;
}

/** A vector as encoded in records: NaN stands for "no value". */
export interface TravellingVector {
  readonly specHash: string;
  readonly asOfMs: number;
  readonly values: readonly number[];
}

/** Attributes that travel with a vector. */
interface TravellingAttributes {
  readonly specHash: string;
  /** In the order of the spec; empty where it declares none, or the profile has none of them. */
  readonly attributes: readonly AttributeValue[];
}

/**
 * The specs that a process knows: the one in force before any rollout, and those read from artifacts. States and
 * vectors name the spec that made them, so several are in use while a new one comes into force.
 */
export class FeatureSpecs {
  /** The spec in force on a partition until its first rollout of features. */
  readonly initial: CompiledFeatures;
  readonly #byArtifact = new Map<string, CompiledFeatures>();
  readonly #byTag = new Map<number, CompiledFeatures>();
  readonly #places = new WeakMap<readonly FeatureName[], Map<CompiledFeatures, readonly number[]>>();

  constructor(initial: readonly FeatureDefinition[]) {
    this.initial = this.#keep(compileFeatures(initial));
  }

  /** Adds the spec read from an artifact. */
  add(artifactHash: string, definitions: readonly FeatureDefinition[], rules: FeatureRules = {}): CompiledFeatures {
    const compiled = this.#byArtifact.get(artifactHash) ?? this.#keep(compileFeatures(definitions, rules));
    this.#byArtifact.set(artifactHash, compiled);
    return compiled;
  }

  hasArtifact(hash: string): boolean {
    return this.#byArtifact.has(hash);
  }

  /** The spec in force. Its artifact was added when the rollout was accepted. */
  inForce(rollout: FeaturesRollout | undefined): CompiledFeatures {
    return rollout === undefined ? this.initial : must(this.#byArtifact.get(rollout.hash), 'the spec in force');
  }

  /** The spec that made a state or a vector; undefined when no artifact has it. */
  find(specHash: string): CompiledFeatures | undefined {
    const found = this.#byTag.get(toSpecTag(specHash));
    return found?.specHash === specHash ? found : undefined;
  }

  /** As `find`; throws `contract_violation`. */
  get(specHash: string): CompiledFeatures {
    return this.find(specHash) ?? throwUnknown(specHash);
  }

  /** The hash that a tag abbreviates. Throws `contract_violation` when no artifact has it. */
  expandTag(tag: number): string {
    return (this.#byTag.get(tag) ?? throwUnknown(`with tag ${tag}`)).specHash;
  }

  /** Decodes a state under the spec that made it. Throws `contract_violation` as `get` and `decode` do. */
  decode(bytes: Buffer): EngineState {
    return this.#madeBy(bytes).decode(bytes);
  }

  /** The same for a state that is only read, as `CompiledFeatures.decodeToRead`. */
  decodeToRead(bytes: Buffer): EngineState {
    return this.#madeBy(bytes).decodeToRead(bytes);
  }

  #madeBy(bytes: Buffer): CompiledFeatures {
    const prefix = readSpecPrefix(bytes);
    return this.#byTag.get(toSpecTag(prefix)) ?? throwUnknown(`${prefix}...`);
  }

  /** The state under a given spec, whichever spec made it. */
  adopt(spec: CompiledFeatures, state: EngineState): EngineState {
    return state.specHash === spec.specHash ? state : spec.adopt(this.get(state.specHash), state);
  }

  /** A vector's values at a later time, in the order of a spec; NaN for a feature that the vector's spec lacks. */
  toValues(vector: TravellingVector, spec: CompiledFeatures, atMs: number): readonly number[] {
    const { specHash, asOfMs, values } = vector;
    const made = this.get(specHash);
    const moved = atMs === asOfMs ? values : made.advanceClock(values, { fromMs: asOfMs, toMs: atMs });
    if (made === spec) return moved;
    return this.findPlaces(made, spec.features).map((place) => moved[place] ?? Number.NaN);
  }

  /** Attributes in the order of a spec; null for one that the spec of their vector lacks. */
  toAttributes({ specHash, attributes }: TravellingAttributes, spec: CompiledFeatures): readonly AttributeValue[] {
    return reorderAttributes(attributes, { from: this.get(specHash).attributes, to: spec.attributes });
  }

  /**
   * Index of each of some features in a vector of `spec`; -1 for one that is absent or has another meaning there.
   * Cached by the list object, so pass the same object again, such as the one in a model's manifest.
   */
  findPlaces(spec: CompiledFeatures, features: readonly FeatureName[]): readonly number[] {
    const bySpec = this.#places.get(features) ?? new Map<CompiledFeatures, readonly number[]>();
    this.#places.set(features, bySpec);
    const known = bySpec.get(spec);
    if (known !== undefined) return known;
    const places = features.map(({ name, hash }) =>
      spec.features.findIndex((feature) => feature.name === name && feature.hash === hash),
    );
    bySpec.set(spec, places);
    return places;
  }

  #keep(compiled: CompiledFeatures): CompiledFeatures {
    const tag = toSpecTag(compiled.specHash);
    const known = this.#byTag.get(tag);
    if (known !== undefined && known.specHash !== compiled.specHash) {
      throw new AppError('config_invalid', `specs ${known.specHash} and ${compiled.specHash} have one tag`);
    }
    this.#byTag.set(tag, known ?? compiled);
    return known ?? compiled;
  }
}

/** A text that lists the declared attributes which a spec lacks, or has with another kind; undefined when there are none. */
export function describeMissingAttributes(
  needed: readonly Attribute[],
  { attributes }: Pick<CompiledFeatures, 'attributes'>,
): string | undefined {
  const missing = needed.flatMap(({ name, kind }) => {
    const found = attributes.find((attribute) => attribute.name === name);
    if (found?.kind === kind) return [];
    return [found === undefined ? name : `${name} (it is ${found.kind} there, not ${kind})`];
  });
  return missing.length === 0 ? undefined : missing.join(', ');
}

/** A text that lists the needed features which are absent or have another meaning; undefined when there are none. */
export function describeMissing(
  needed: readonly FeatureName[],
  { features }: Pick<CompiledFeatures, 'features'>,
): string | undefined {
  const hashes = new Map(features.map(({ name, hash }) => [name, hash]));
  const missing = needed.flatMap(({ name, hash }) => {
    const found = hashes.get(name);
    if (found === hash) return [];
    return [found === undefined ? name : `${name} (there is one of that name with another definition)`];
  });
  return missing.length === 0 ? undefined : missing.join(', ');
}

function throwUnknown(spec: string): never {
  throw new AppError('contract_violation', `made under feature spec ${spec}, of which no artifact is registered`);
}
