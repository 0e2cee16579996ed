/** Own fields only: a property called `__proto__` or `constructor` is data like any other. */
export function readField(container: unknown, name: string): unknown {
  if (typeof container !== 'object' || container === null || !Object.hasOwn(container, name)) return undefined;
  return (container as Record<string, unknown>)[name];
}
