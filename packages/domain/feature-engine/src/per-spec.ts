import type { CompiledFeatures } from './compile.js';

/** Creates a value once per spec, such as conditions compiled for its feature names. */
export function oncePerSpec<T>(make: (spec: CompiledFeatures) => T): (spec: CompiledFeatures) => T {
  const made = new WeakMap<CompiledFeatures, { readonly value: T }>();
  return (spec) => {
    const known = made.get(spec) ?? { value: make(spec) };
    made.set(spec, known);
    return known.value;
  };
}
