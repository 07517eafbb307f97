/** The files in docs/operations ask for figures that a running server really tells. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { ROOT, TestServer } from '../support/test-server.js';
import { until } from '../support/within.js';

/** By the name of a metric: the labels that its lines have. */
type Metrics = ReadonlyMap<string, ReadonlySet<string>>;

/** What Prometheus adds by itself. */
const ADDED_LABELS = ['instance', 'job'];
const ADDED_METRICS = ['up'];

const read = (name: string) => readFileSync(join(ROOT, 'docs/operations', name), 'utf8');

function metricsOf(text: string): Metrics {
  const metrics = new Map<string, Set<string>>(ADDED_METRICS.map((name) => [name, new Set(ADDED_LABELS)]));
  for (const line of text.split('\n')) {
    const match = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? \S+$/.exec(line);
    if (match === null) continue;
    const labels = metrics.get(match[1]!) ?? new Set(ADDED_LABELS);
    for (const [, label] of (match[2] ?? '').matchAll(/(\w+)="/g)) labels.add(label!);
    metrics.set(match[1]!, labels);
  }
  return metrics;
}

/** What is wrong with an expression of PromQL: metrics that there are not, labels that they have not. */
function mistakes(expression: string, metrics: Metrics): string[] {
  const wrong: string[] = [];
  const withoutRanges = expression
    .replaceAll(/\[[^\]]*\]/g, '')
    .replaceAll(/\b(?:by|without|on|ignoring)\s*\([^)]*\)/g, '');
  // Words in front of a parenthesis are functions.
  for (const [, name, , matchers] of withoutRanges.matchAll(
    /\b([a-zA-Z_:][\w:]*)(\{([^}]*)\})?(?!\w|\s*\()/g,
  )) {
    if (/^(and|or|unless|sum|min|max)$/.test(name!) || !/[_a-z]{2}/.test(name!)) continue;
    const labels = metrics.get(name!);
    if (labels === undefined) {
      wrong.push(name!);
      continue;
    }
    for (const [, label] of (matchers ?? '').matchAll(/(\w+)\s*(?:=|!=|=~|!~)\s*"/g)) {
      if (!labels.has(label!)) wrong.push(`${name}{${label}}`);
    }
  }
  return wrong;
}

test('mistakes in expressions are found', () => {
  const metrics = metricsOf('# HELP x\nrookery_a_total{thread="main"} 1\nrookery_b 2.5e9\n');
  assert.deepEqual([...metrics.keys()], ['up', 'rookery_a_total', 'rookery_b']);
  assert.deepEqual(
    mistakes('sum by (thread) (rate(rookery_a_total{thread!="x"}[5m])) / rookery_b > 2e6', metrics),
    [],
  );
  assert.deepEqual(mistakes('rate(rookery_c_total[5m]) > 0 and rookery_b > 1', metrics), ['rookery_c_total']);
  assert.deepEqual(mistakes('rookery_a_total{ring="x",job="y"}', metrics), ['rookery_a_total{ring}']);
});

test('the Grafana dashboard and the rules for Prometheus know no figure that there is not', {
  skip: process.platform === 'linux' ? false : 'figures of the operating system are those of Linux',
}, async (t) => {
  const server = await TestServer.start(t, { settings: { metricsAccess: 'public', schedulers: 2 } });
  let scraped = '';
  // What the alerts look at is there when they have looked.
  await until('the threads have told their heaps', async () => {
    scraped = await (await fetch(`http://127.0.0.1:${server.operatorPort}/metrics`)).text();
    return scraped.includes('rookery_heap_share_ratio{');
  });
  const metrics = metricsOf(scraped);
  assert.ok(metrics.size > 100, `only ${metrics.size} metrics`);

  const dashboard = JSON.parse(read('grafana-dashboard.json')) as {
    readonly panels: readonly {
      readonly id: number;
      readonly title: string;
      readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
    }[];
  };
  const ids = dashboard.panels.map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length);
  let expressions = 0;
  for (const { title, targets = [] } of dashboard.panels) {
    for (const { expr, legendFormat } of targets) {
      expressions++;
      assert.deepEqual(mistakes(expr, metrics), [], `${title}: ${expr}`);
      for (const [, label] of legendFormat.matchAll(/\{\{(\w+)\}\}/g))
        assert.ok(
          [...metrics.values()].some((labels) => labels.has(label!)),
          `${title}: {{${label}}}`,
        );
    }
  }
  assert.ok(expressions > 40);

  const rules = parse(read('prometheus-rules.yaml')) as {
    readonly groups: readonly {
      readonly name: string;
      readonly rules: readonly {
        readonly alert: string;
        readonly expr: string;
        readonly labels: { readonly severity: string };
        readonly annotations: { readonly summary: string; readonly description?: string };
      }[];
    }[];
  };
  const names = rules.groups.flatMap((group) => group.rules.map(({ alert }) => alert));
  assert.ok(names.length > 10);
  assert.equal(new Set(names).size, names.length);
  for (const { alert, expr, labels, annotations } of rules.groups.flatMap((group) => group.rules)) {
    assert.deepEqual(mistakes(expr, metrics), [], `${alert}: ${expr}`);
    assert.match(labels.severity, /^(critical|warning)$/);
    for (const [, label] of Object.values(annotations)
      .join(' ')
      .matchAll(/\$labels\.(\w+)/g))
      assert.ok(
        [...metrics.values()].some((known) => known.has(label!)),
        `${alert}: ${label}`,
      );
  }
});
