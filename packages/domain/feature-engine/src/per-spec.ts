import type { CompiledFeatures } from './compile.js';

/** Makes something once for each spec, such as conditions compiled for its names. */
export function oncePerSpec<T>(make: (spec: CompiledFeatures) => T): (spec: CompiledFeatures) => T {
  const made = new WeakMap<CompiledFeatures, { readonly value: T }>();
  return (spec) => {
    const known = made.get(spec) ?? { value: make(spec) };
    made.set(spec, known);
    return known.value;
  };
}
