import ts from 'typescript';
import { listFiles, readText } from './tidy/repository.mjs';

const KINDS = ['counter', 'gauge', 'histogram'];

/**
 * Names of the metrics that packages and services make, each with its labels: the calls `metrics.counter('name', 'help', ['label'])`
 * of their sources.
 */
export function findMetrics() {
  const found = new Map();
  for (const path of listFiles()) {
    if (!/^(packages|services)\/.*\/src\/.*\.ts$/.test(path) || path.endsWith('.test.ts')) continue;
    const source = ts.createSourceFile(path, readText(path), ts.ScriptTarget.Latest);
    visit(source, found);
  }
  return found;
}

function visit(node, found) {
  if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression)) {
    const kind = node.expression.name.text;
    const [name, , ...rest] = node.arguments;
    if (KINDS.includes(kind) && name !== undefined && ts.isStringLiteral(name)) {
      const last = rest.at(-1);
      const labels =
        last !== undefined && ts.isArrayLiteralExpression(last) ? last.elements.map(({ text }) => text) : [];
      found.set(name.text, { labels, isHistogram: kind === 'histogram' });
    }
  }
  ts.forEachChild(node, (child) => visit(child, found));
}
