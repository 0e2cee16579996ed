import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parser } from '@prometheus-io/lezer-promql';
import { parse } from 'yaml';
import { findMetrics } from './metric-names.mjs';
import { ROOT, readText } from './tidy/repository.mjs';

const { groups } = parse(readText('infra/observability/alerts.yaml'));
const rules = groups.flatMap((group) => group.rules);
const metrics = findMetrics();

/** Labels of every series: those of the registry, and those that Prometheus adds. */
const EVERYWHERE = ['service', 'namespace', 'instance', 'job'];
/** Prometheus' own. */
const OWN = new Map([['up', []]]);

/** Nodes of an expression by name, as text. */
function read(expr) {
  const found = { errors: [], metrics: [], labels: [] };
  parser.parse(expr).iterate({
    enter({ name, from, to, type, node }) {
      const text = expr.slice(from, to);
      if (type.isError) found.errors.push(`${from}: ${text}`);
      if (name === 'VectorSelector') found.metrics.push(expr.slice(from, node.firstChild.to));
      if (name === 'LabelName') found.labels.push(text);
    },
  });
  return found;
}

function labelsOf(name) {
  const base = name.replace(/_(bucket|sum|count)$/, '');
  return metrics.get(name) ?? (metrics.get(base)?.isHistogram ? metrics.get(base) : undefined) ?? OWN.get(name);
}

describe('alert rules', () => {
  it.each(rules.map((rule) => [rule.alert, rule]))(
    '%s is valid PromQL over metrics and labels that exist',
    (_, rule) => {
      const { errors, metrics: names, labels } = read(rule.expr);
      expect(errors).toEqual([]);
      expect(names.length).toBeGreaterThan(0);
      expect(names.filter((name) => labelsOf(name) === undefined)).toEqual([]);
      const known = new Set([...EVERYWHERE, ...names.flatMap((name) => labelsOf(name).labels ?? [])]);
      const inSummary = [...rule.annotations.summary.matchAll(/\$labels\.(\w+)/g)].map(([, label]) => label);
      expect([...labels, ...inSummary].filter((label) => !known.has(label))).toEqual([]);
    },
  );

  it.each(rules.map((rule) => [rule.alert, rule]))(
    '%s says how urgent it is, and names a runbook that names it',
    (_, rule) => {
      expect(
        Object.keys(rule).filter((key) => !['alert', 'expr', 'for', 'labels', 'annotations'].includes(key)),
      ).toEqual([]);
      expect(['page', 'ticket']).toContain(rule.labels.severity);
      if (rule.for !== undefined) expect(rule.for).toMatch(/^\d+[smh]$/);
      const { runbook } = rule.annotations;
      expect({ runbook, isThere: existsSync(join(ROOT, runbook)) }).toEqual({ runbook, isThere: true });
      expect(readText(runbook)).toContain(`\`${rule.alert}\``);
    },
  );

  it('have a name each', () => {
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
  });

  it('are seen to be wrong', () => {
    expect(read('increase(a_total[5m] > 0').errors).not.toEqual([]);
    expect(labelsOf('processor_lag_seconds')).toBeUndefined();
  });
});
