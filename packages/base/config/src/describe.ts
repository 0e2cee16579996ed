import type { Environment, VariableDeclaration } from './variables.js';

/** Environments whose readers are listened to, and what those were asked for. */
const observed = new WeakMap<Environment, Map<string, VariableDeclaration>>();

/**
 * Every variable that a service reads, in the order of reading: calls `loadConfig` with an empty environment and notes what
 * it asks for. The problems that an empty environment gives are expected. `.env.example` is made from this.
 */
export function describeVariables(loadConfig: (env: Environment) => unknown): readonly VariableDeclaration[] {
  const env: Environment = {};
  const declared = new Map<string, VariableDeclaration>();
  observed.set(env, declared);
  try {
    loadConfig(env);
  } catch {
    // An empty environment is no configuration; what was asked for is known all the same.
  }
  return [...declared.values()];
}

/** Tells `describeVariables`, when it is the one that reads this environment. */
export function noteDeclaration(env: Environment, declaration: VariableDeclaration): void {
  observed.get(env)?.set(declaration.name, declaration);
}
