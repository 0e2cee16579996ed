/* A loader hook (node:module, customization hooks), on a thread of its own. `patches` are those of src/patches.ts. */
let patches = [];

export function initialize(data) {
  patches = data;
}

export async function load(url, context, nextLoad) {
  const loaded = await nextLoad(url, context);
  const wanted = patches.filter(({ module }) => url.endsWith(`/${module}`));
  if (wanted.length === 0) return loaded;
  return { ...loaded, source: wanted.reduce(patch, String(loaded.source)) };
}

function patch(source, { module, find, replace }) {
  const parts = source.split(find);
  // A patch that no longer fits would leave the rule whole, and the run would prove nothing.
  if (parts.length !== 2) throw new Error(`patch of ${module}: found ${parts.length - 1} times, not once: ${find}`);
  return parts.join(replace);
}
