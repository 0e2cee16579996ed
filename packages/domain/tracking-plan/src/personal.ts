/** Which fields of an object a schema declares personal, or not personal; a tree along `properties` and `items`. */
export interface PersonalFields {
  readonly isPersonal: boolean | undefined;
  readonly children: ReadonlyMap<string, PersonalFields>;
  readonly items: PersonalFields | undefined;
}

export const NO_FIELDS: PersonalFields = { isPersonal: undefined, children: new Map(), items: undefined };

/** Joins what several schemas say of the same value; personal for one is personal. */
export function joinFields(all: readonly PersonalFields[]): PersonalFields {
  const [first, ...others] = all;
  if (first === undefined) return NO_FIELDS;
  return others.reduce(joinTwo, first);
}

function joinTwo(a: PersonalFields, b: PersonalFields): PersonalFields {
  const children = new Map(a.children);
  for (const [name, fields] of b.children) {
    const known = children.get(name);
    children.set(name, known === undefined ? fields : joinTwo(known, fields));
  }
  const said = [a.isPersonal, b.isPersonal];
  return {
    isPersonal: said.includes(true) ? true : said.includes(false) ? false : undefined,
    children,
    items: joinFields([a.items, b.items].filter((items) => items !== undefined)),
  };
}

/** Whether anything in the tree is personal: most rules have nothing, and cost nothing. */
export function hasPersonal(fields: PersonalFields): boolean {
  return (
    fields.isPersonal === true ||
    [...fields.children.values()].some(hasPersonal) ||
    (fields.items !== undefined && fields.items !== NO_FIELDS && hasPersonal(fields.items))
  );
}

/** A name without case and the marks between its words: `first_name` and `firstName` are the same. */
export function toPlainName(name: string): string {
  return name.toLowerCase().replaceAll(/[\s_.-]/g, '');
}

/** What is left of a value without its personal fields, and how many were taken out. */
export interface Withheld {
  readonly value: unknown;
  readonly count: number;
}

/** Takes out the fields that the tree calls personal, and at any depth those whose plain name is in the list. */
export function withhold(value: unknown, fields: PersonalFields, names: ReadonlySet<string>): Withheld {
  let count = 0;
  const take = (part: unknown, known: PersonalFields): unknown => {
    if (typeof part !== 'object' || part === null) return part;
    if (Array.isArray(part)) return part.map((item) => take(item, known.items ?? NO_FIELDS));
    const kept: Array<[string, unknown]> = [];
    for (const [name, inner] of Object.entries(part)) {
      const child = known.children.get(name) ?? NO_FIELDS;
      if (
        child.isPersonal === true ||
        (child.isPersonal === undefined && names.size > 0 && names.has(toPlainName(name)))
      ) {
        count++;
      } else kept.push([name, take(inner, child)]);
    }
    // Not by assignment: a key may be `__proto__`.
    return Object.fromEntries(kept);
  };
  const left = take(value, fields);
  return { value: count === 0 ? value : left, count };
}
