import type { Environment, VariableDeclaration } from './variables.js';

/** Environments whose readers are recorded, with the variables that each reader asked for. */
const observed = new WeakMap<Environment, Map<string, VariableDeclaration>>();

/**
 * Every variable that a service reads, in the order of reading: calls `loadConfig` with an empty environment and
 * records the variables that it asks for. The problems that an empty environment causes are expected. `.env.example` is
 * generated from this.
 */
export function describeVariables(loadConfig: (env: Environment) => unknown): readonly VariableDeclaration[] {
  const env: Environment = {};
  const declared = new Map<string, VariableDeclaration>();
  observed.set(env, declared);
  try {
    loadConfig(env);
  } catch {
    // An empty environment is not a valid configuration, but the requested variables are recorded anyway.
  }
  return [...declared.values()];
}

/** Records the variable for `describeVariables`, if that is what reads this environment. */
export function noteDeclaration(env: Environment, declaration: VariableDeclaration): void {
  observed.get(env)?.set(declaration.name, declaration);
}
