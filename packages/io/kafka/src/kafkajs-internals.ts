import { createRequire } from 'node:module';

/** The only version whose inside is known here; another one is left as it is. */
const KAFKAJS_VERSION = '2.2.4';

/** Modules and methods that are other than kafkajs made them. */
const changed = new Set<string>();

/** A `require` that reaches into kafkajs; undefined when it is another version than the one known. */
export function openKafkajsInternals(): NodeJS.Require | undefined {
  const require = createRequire(import.meta.url);
  const { version } = require('kafkajs/package.json') as { version: string };
  return version === KAFKAJS_VERSION ? require : undefined;
}

/**
 * Puts another one in the place of a module of kafkajs, once a process. It works for modules that kafkajs loads anew
 * whenever it needs them, as it does with those of requests. False when kafkajs is another version than the one known.
 */
export function replaceKafkajsModule<Module>(
  name: string,
  create: (original: Module, require: NodeJS.Require) => Module,
): boolean {
  const require = openKafkajsInternals();
  if (require === undefined) return false;
  const path = require.resolve(name);
  if (changed.has(path)) return true;
  const original = require(path) as Module;
  const loaded = require.cache[path];
  if (loaded === undefined) return false;
  loaded.exports = create(original, require);
  changed.add(path);
  return true;
}

/**
 * Puts another one in the place of a method of a class of kafkajs, the export of a module, once a process. False when kafkajs
 * is another version than the one known.
 */
export function replaceKafkajsMethod<Instance, Name extends string & keyof Instance>(
  module: string,
  name: Name,
  create: (original: Instance[Name], require: NodeJS.Require) => Instance[Name],
): boolean {
  const require = openKafkajsInternals();
  if (require === undefined) return false;
  const method = `${require.resolve(module)}#${name}`;
  if (changed.has(method)) return true;
  const { prototype } = require(module) as { prototype: Instance };
  prototype[name] = create(prototype[name], require);
  changed.add(method);
  return true;
}
