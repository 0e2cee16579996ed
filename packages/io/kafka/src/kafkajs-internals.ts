import { createRequire } from 'node:module';
import { AppError } from '@perennial/kernel';

/** The only kafkajs version whose internals are known here. */
const KAFKAJS_VERSION = '2.2.4';

/** Modules and methods that are patched. */
const patched = new Set<string>();

/** Throws `dependency_misconfigured` unless the kafkajs version is the one that the patches were written for. */
export function checkKafkajsVersion(version = readVersion(createRequire(import.meta.url))): void {
  if (version === KAFKAJS_VERSION) return;
  throw new AppError(
    'dependency_misconfigured',
    `kafkajs ${version} is installed, but its patches are for ${KAFKAJS_VERSION}: without them it loses connections and ` +
      `sessions; install ${KAFKAJS_VERSION}, or check each patch of packages/io/kafka against the new version`,
  );
}

/** A `require` that can load kafkajs's internal modules. */
export function openKafkajsInternals(): NodeJS.Require {
  const require = createRequire(import.meta.url);
  checkKafkajsVersion(readVersion(require));
  return require;
}

function readVersion(require: NodeJS.Require): string {
  return (require('kafkajs/package.json') as { version: string }).version;
}

/**
 * Replaces a module of kafkajs, once per process. It works for modules that kafkajs requires again at each use, as it
 * does with those of requests.
 */
export function replaceKafkajsModule<Module>(
  name: string,
  create: (original: Module, require: NodeJS.Require) => Module,
): void {
  const require = openKafkajsInternals();
  const path = require.resolve(name);
  if (patched.has(path)) return;
  const original = require(path) as Module;
  const loaded = require.cache[path];
  if (loaded === undefined) throw new AppError('dependency_misconfigured', `${name} of kafkajs cannot be patched`);
  loaded.exports = create(original, require);
  patched.add(path);
}

/** Replaces a method of a kafkajs class, which is the export of a module, once per process. */
export function replaceKafkajsMethod<Instance, Name extends string & keyof Instance>(
  module: string,
  name: Name,
  create: (original: Instance[Name], require: NodeJS.Require) => Instance[Name],
): void {
  const require = openKafkajsInternals();
  const method = `${require.resolve(module)}#${name}`;
  if (patched.has(method)) return;
  const { prototype } = require(module) as { prototype: Instance };
  prototype[name] = create(prototype[name], require);
  patched.add(method);
}

/** Changes a member of what a kafkajs module exports, once per process: those who already hold the export see it too. */
export function changeKafkajsExport<Module extends object, Name extends string & keyof Module>(
  module: string,
  name: Name,
  create: (original: Module[Name]) => Module[Name],
): void {
  const require = openKafkajsInternals();
  const member = `${require.resolve(module)}.${name}`;
  if (patched.has(member)) return;
  const loaded = require(module) as Module;
  loaded[name] = create(loaded[name]);
  patched.add(member);
}
