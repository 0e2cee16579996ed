/** A text in quotes; white space and comments. */
const TOKEN = /(?<text>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')|(?<space>(?:\s|\/\/[^\n]*(?:\n|$))+)/gu;

/** Texts in which a backslash or a quote means itself. They are rare, so a condition with one is taken as it stands. */
const VERBATIM = /"""|'''|(?<![\p{L}\p{N}_])[rRbB]{1,2}["']/u;

/**
 * The text of a condition as it is hashed: each run of white space and comments outside of quotes is one space, and none
 * stands at the ends. So line breaks and indents of a file do not change what a condition is.
 */
export function toCanonicalCondition(source: string): string {
  if (VERBATIM.test(source)) return source.trim();
  return source
    .replaceAll(TOKEN, (token, ...rest) => {
      const groups = rest.at(-1) as { readonly space?: string };
      return groups.space === undefined ? token : ' ';
    })
    .trim();
}
