import { isMap, isScalar, isSeq, type Node } from 'yaml';
import { type Place, type Shape, toPlace } from './yaml.js';

/**
 * Names chosen by the author, in their order: a list of them alone, each of which then has `bare`, or a mapping of them to settings. With
 * `refers`, they are references to names of that kind.
 */
export function namesOrNamed<T>(
  item: Shape<T>,
  limits: { bare: T; pattern: RegExp; patternHint: string; itemsMax: number; refers?: string | undefined },
): Shape<ReadonlyMap<string, { readonly value: T; readonly place: Place }>> {
  return {
    read(node, place, context) {
      const here = toPlace(node, place);
      if (!isSeq(node) && !isMap(node)) {
        return context.report(here, 'a list of names, or a mapping of names to settings, is needed here') as undefined;
      }
      const { length } = node.items;
      if (length > limits.itemsMax) context.report(here, `at most ${limits.itemsMax} are allowed here`);
      if (length === 0) context.report(here, 'at least one is needed here');
      let complete = length > 0;
      const said = new Map<string, { readonly value: T; readonly place: Place }>();
      const take = (key: unknown, value: T | undefined, keyPlace: Place): void => {
        const name = toText(key);
        if (name === undefined || !limits.pattern.test(name)) {
          context.report(keyPlace, `${JSON.stringify(name ?? String(key))} is not a name: ${limits.patternHint}`);
          complete = false;
          return;
        }
        if (limits.refers !== undefined) context.refer(limits.refers, name, keyPlace);
        if (said.has(name)) context.report(keyPlace, `"${name}" stands here twice`);
        if (value === undefined) complete = false;
        else said.set(name, { value, place: keyPlace });
      };
      if (isSeq(node)) {
        for (const child of node.items.slice(0, limits.itemsMax)) {
          take(child, limits.bare, toPlace(child as Node, here));
        }
      } else {
        for (const { key, value } of node.items.slice(0, limits.itemsMax)) {
          const keyPlace = toPlace(key as Node, here);
          take(key, item.read(value as Node | null, keyPlace, context), keyPlace);
        }
      }
      return complete ? said : undefined;
    },
  };
}

function toText(node: unknown): string | undefined {
  return isScalar(node) && typeof node.value === 'string' ? node.value : undefined;
}
