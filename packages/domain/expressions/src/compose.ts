import { Composer, type CST, type Document, isAlias, isMap, isScalar, isSeq, type Node, Parser } from 'yaml';
import type { ProblemList } from './problem.js';

/** Longest file, in characters: thirty times our own. The library needs some ten microseconds a character at worst. */
const YAML_LENGTH_MAX = 128 * 1024;
/** Syntax errors after which the rest of the file is not read. */
const SYNTAX_ERRORS_MAX = 100;
/** Levels of mappings and lists: our formats have six, free parameters a few more. */
const DEPTH_MAX = 32;

/**
 * Composes the nodes of one YAML document, in time that grows linearly with the text, whatever it holds. Duplicate
 * keys, aliases and deep nesting are problems; the nodes may be read only where there is none.
 */
export function composeYaml(text: string, problems: ProblemList): Node | null {
  if (text.length > YAML_LENGTH_MAX) {
    problems.add(0, `the file has ${text.length} characters, ${YAML_LENGTH_MAX} at most are allowed`);
    return null;
  }
  const document = parse(text, problems);
  for (const error of document?.errors ?? []) problems.add(error.pos[0], toProblem(error.message));
  const root = (document?.contents ?? null) as Node | null;
  if (problems.count === 0) checkNode(root, { depth: 0, problems });
  return root;
}

const TOO_DEEP = `mappings and lists are nested too deeply: ${DEPTH_MAX} levels at most are allowed`;

/** The library recurses into each level: thousands of them end in a RangeError, or in an error with its message. */
function parse(text: string, problems: ProblemList): Document | undefined {
  try {
    // It would compare each key with all before it; checkKey looks for duplicates with a set.
    const composer = new Composer({ prettyErrors: false, uniqueKeys: false });
    const tokens = untilManyErrors(new Parser(problems.lines.addNewLine).parse(text));
    const [document, another] = composer.compose(tokens, true, text.length);
    if (another !== undefined) problems.add(another.range[0], 'a file holds one YAML document, this has several');
    return document;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    problems.add(0, TOO_DEEP);
    return undefined;
  }
}

/** Tokens up to a number of errors: each takes a thousand times as long as a character. */
function* untilManyErrors(tokens: Iterable<CST.Token>): Generator<CST.Token> {
  let errors = 0;
  for (const token of tokens) {
    if (token.type === 'error' && ++errors > SYNTAX_ERRORS_MAX) return;
    yield token;
  }
}

function toProblem(message: string): string {
  return message.startsWith('Maximum call stack') ? TOO_DEEP : message;
}

function checkNode(node: unknown, { depth, problems }: { depth: number; problems: ProblemList }): void {
  if (isAlias(node)) problems.add(node.range?.[0] ?? 0, 'aliases are not supported: write the value out');
  if (!isMap(node) && !isSeq(node)) return;
  if (depth === DEPTH_MAX) {
    problems.add(node.range?.[0] ?? 0, `at most ${DEPTH_MAX} levels of mappings and lists are allowed`);
    return;
  }
  const below = { depth: depth + 1, problems };
  if (isSeq(node)) {
    for (const item of node.items) checkNode(item, below);
    return;
  }
  const names = new Set<string>();
  for (const { key, value } of node.items) {
    checkKey(key, names, problems);
    checkNode(value, below);
  }
}

function checkKey(key: unknown, names: Set<string>, problems: ProblemList): void {
  const at = (key as Node | null)?.range?.[0] ?? 0;
  if (!isScalar(key)) {
    problems.add(at, 'a key must be a plain name');
    return;
  }
  const name = String(key.value);
  if (names.has(name)) problems.add(at, `the key "${name}" is there twice`);
  names.add(name);
}
