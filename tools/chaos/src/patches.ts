/** A change of one compiled module's text, made while a service of a chaos run loads it. */
export interface ModulePatch {
  /** End of the module's path, such as `packages/stream/keyed-processor/dist/partition/partition-worker.js`. */
  readonly module: string;
  /** Must be there exactly once, or the service does not start. */
  readonly find: string;
  readonly replace: string;
}

/** For NODE_OPTIONS: what lets modules be patched. */
export const PATCH_MODULES_OPTION = `--import ${JSON.stringify(new URL('../preload/patch-modules.mjs', import.meta.url).href)}`;

/** What a process started with {@link PATCH_MODULES_OPTION} reads its patches from. */
export function toPatchEnvironment(patches: readonly ModulePatch[]): Readonly<Record<string, string>> {
  return patches.length === 0 ? {} : { CHAOS_PATCHES: JSON.stringify(patches) };
}
