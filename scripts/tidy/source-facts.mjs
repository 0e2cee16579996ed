import ts from 'typescript';

const LOG_METHODS = new Set(['trace', 'debug', 'info', 'warn', 'error', 'fatal']);
/** Blocks of tests, which list cases and are as long as there are cases. */
const TEST_BLOCKS = new Set(['describe', 'it', 'test', 'beforeAll', 'beforeEach', 'afterAll', 'afterEach']);

/**
 * Facts about one source file for the tidy rules: imports (of types too), imports by a computed path, functions with
 * their length in lines, messages of log calls, all text in quotes, comments, and the names that it declares.
 */
export function readFacts(path, text) {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const facts = {
    path,
    lines: text.trimEnd().split('\n').length,
    imports: [],
    computedImports: [],
    functions: [],
    logs: [],
    texts: [],
    comments: readComments(text, source),
    names: [],
  };
  const lineOf = (node) => source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1;

  function visit(node) {
    if ((ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) && node.moduleSpecifier !== undefined)
      facts.imports.push({ specifier: node.moduleSpecifier.text, line: lineOf(node) });
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument))
      facts.imports.push({ specifier: node.argument.literal.text, line: lineOf(node) });
    else if (ts.isCallExpression(node)) visitCall(node);
    else if (ts.isStringLiteralLike(node)) facts.texts.push({ text: node.text, line: lineOf(node) });
    else if (ts.isTemplateHead(node) || ts.isTemplateMiddle(node) || ts.isTemplateTail(node))
      facts.texts.push({ text: node.text, line: lineOf(node) });
    if (isDeclaration(node)) facts.names.push({ text: node.name.text, line: lineOf(node) });
    if (ts.isFunctionLike(node) && node.body !== undefined && !isTestBlock(node)) facts.functions.push(toLength(node));
    ts.forEachChild(node, visit);
  }

  function visitCall(node) {
    const [argument] = node.arguments;
    if (node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      if (argument !== undefined && ts.isStringLiteral(argument))
        facts.imports.push({ specifier: argument.text, line: lineOf(node) });
      else facts.computedImports.push({ line: lineOf(node) });
    }
    const { expression } = node;
    if (!ts.isPropertyAccessExpression(expression) || !LOG_METHODS.has(expression.name.text)) return;
    if (!/logger$/i.test(expression.expression.getText(source))) return;
    const message = node.arguments.find((candidate) => ts.isStringLiteralLike(candidate));
    if (message !== undefined) facts.logs.push({ text: message.text, line: lineOf(node) });
  }

  function toLength(node) {
    const from = lineOf(node);
    const to = source.getLineAndCharacterOfPosition(node.end).line + 1;
    return { name: node.name?.getText(source) ?? 'a function', line: from, lines: to - from + 1 };
  }

  function isTestBlock(node) {
    if (!ts.isCallExpression(node.parent)) return false;
    const called = node.parent.expression.getText(source);
    return TEST_BLOCKS.has(called.split(/[.(]/)[0]);
  }

  visit(source);
  return facts;
}

/** Whether a node gives something a name; imports and exports repeat the name of another file. */
function isDeclaration(node) {
  const { name } = node;
  if (name === undefined || ts.isImportSpecifier(node) || ts.isExportSpecifier(node)) return false;
  if (ts.isPropertyAccessExpression(node) || ts.isMetaProperty(node)) return false;
  return ts.isIdentifier(name) || ts.isPrivateIdentifier(name);
}

/** Lines of comments, in order. */
function readComments(text, source) {
  const ranges = new Map();
  const visit = (node) => {
    for (const range of ts.getLeadingCommentRanges(text, node.pos) ?? []) ranges.set(range.pos, range);
    for (const range of ts.getTrailingCommentRanges(text, node.end) ?? []) ranges.set(range.pos, range);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return [...ranges.values()].flatMap(({ pos, end }) => {
    const first = source.getLineAndCharacterOfPosition(pos).line + 1;
    return text
      .slice(pos, end)
      .split('\n')
      .map((line, index) => ({ text: line, line: first + index }));
  });
}
