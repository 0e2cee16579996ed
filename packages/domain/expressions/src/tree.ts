import { isMap, isScalar, isSeq, type Node } from 'yaml';
import { toPlainValue } from './shapes.js';
import { type Place, type Shape, toPlace, type YamlContext } from './yaml.js';

/** Data of any form, with the place of each part of it. */
export interface Tree {
  /** Plain JSON values. */
  readonly value: unknown;
  /** Where the value at a path stands, or its key; of a path that leads nowhere, the key of the last part that is there. */
  placeOf(path: ReadonlyArray<string | number>, part?: 'key' | 'value'): Place;
  /** Place of an offset into the text at a path. */
  placeWithin(path: ReadonlyArray<string | number>, offset: number): Place;
}

/** Data whose form is checked after reading: for a file that is rewritten before it can be judged. */
export function tree(): Shape<Tree> {
  return {
    read(node, place, context) {
      return {
        value: node === null ? null : toPlainValue(node),
        placeOf(path, part = 'value') {
          const found = follow(node, path, place);
          return found.isWhole ? found[part] : found.key;
        },
        placeWithin: (path, offset) => toInnerPlace(follow(node, path, place), offset, context),
      };
    },
  };
}

interface Found {
  readonly node: Node | null;
  readonly key: Place;
  readonly value: Place;
}

function toInnerPlace({ node, value }: Found, offset: number, { placeWithin }: YamlContext): Place {
  return isScalar(node) && typeof node.value === 'string' ? placeWithin(node, offset) : value;
}

function follow(root: Node | null, path: ReadonlyArray<string | number>, place: Place): Found & { isWhole: boolean } {
  const start = toPlace(root, place);
  let found: Found = { node: root, key: start, value: start };
  for (const segment of path) {
    const next = enter(found, segment);
    if (next === undefined) return { ...found, isWhole: false };
    found = next;
  }
  return { ...found, isWhole: true };
}

function enter({ node, value }: Found, segment: string | number): Found | undefined {
  if (isSeq(node)) {
    const item = node.items[Number(segment)] as Node | undefined;
    const at = toPlace(item, value);
    return item === undefined ? undefined : { node: item, key: at, value: at };
  }
  if (!isMap(node)) return undefined;
  const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(segment));
  if (pair === undefined) return undefined;
  const key = toPlace(pair.key as Node, value);
  return { node: pair.value as Node | null, key, value: toPlace(pair.value as Node | null, key) };
}
