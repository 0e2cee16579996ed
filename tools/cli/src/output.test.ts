import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { LogRecord } from '@perennial/kafka';
import type { PlatformStatus } from '@perennial/launcher';
import fc from 'fast-check';
import { formatArtifacts } from './commands/artifacts.js';
import { formatChecks } from './commands/doctor.js';
import { formatStatus } from './commands/status.js';
import { renderReport } from './demo/index.js';
import { formatEntry, formatRedrive, formatRows } from './dlq/format.js';
import {
  COMMANDER_OUTPUT,
  line,
  lines,
  type Printable,
  printJson,
  printJsonLine,
  printLine,
  printNotice,
  printText,
  toBody,
  toTable,
} from './output.js';
import { createProgress } from './progress.js';
import { formatRecord, toObject } from './topic/format.js';

/** What a terminal may obey or a reader not see, but for the line feeds of ours. */
const FORBIDDEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;
const isClean = (text: string) => !FORBIDDEN.test(text.replaceAll('\n', ''));

/** Titles, clearing the screen, forged lines, reversed text, invisible text, half characters, and a great length. */
const HOSTILE = `\u001b]0;owned\u0007\u001b[2J\r\nforged  line\u2028\u2029\u0085\u009b31m\u202egnp.\u200b\ufeff\ud800\u007f\0${'x'.repeat(5_000)}`;
const LINES_OF_HOSTILE = HOSTILE.split(/[\n\r\u2028\u2029\u0085]/).length;

const record: LogRecord = {
  topic: 't',
  partition: 0,
  offset: 1,
  timestampMs: 0,
  key: Buffer.from(HOSTILE),
  value: null,
  headers: { [HOSTILE]: HOSTILE },
};
const decoded = { kind: HOSTILE, value: { [HOSTILE]: [HOSTILE, { name: HOSTILE }] } };
const entry = {
  position: '0:1',
  time: HOSTILE,
  processor: HOSTILE,
  kind: HOSTILE,
  origin: HOSTILE,
  key: HOSTILE,
  cause: HOSTILE,
  notes: { [HOSTILE]: HOSTILE },
  headers: { [HOSTILE]: HOSTILE },
  value: decoded.value,
};
const service = {
  url: HOSTILE,
  pid: 1,
  running: true,
  ready: false,
  reasons: [HOSTILE],
  notes: [HOSTILE],
  log: HOSTILE,
};
const status: PlatformStatus = {
  home: HOSTILE,
  stack: { running: true, parts: [{ part: 'redis', port: 1, pid: 1, running: true, ready: true }] },
  namespaces: [
    {
      namespace: HOSTILE,
      clockMode: 'wall',
      partitions: 1,
      oneProcess: false,
      inForce: [{ kind: 'policy', number: 1, hash: HOSTILE }],
      services: { ingest: service, 'feature-store': service, scoring: service, action: service },
      topics: [
        { topic: HOSTILE, partitions: 1, records: 1, endOffsets: [1], heldBack: [{ partition: 0, records: 3 }] },
      ],
      groups: [{ processor: HOSTILE, group: HOSTILE, topic: HOSTILE, lag: 1 }],
    },
  ],
};
const redrive = {
  redriven: { [HOSTILE]: 1 },
  timers: 1,
  skippedCount: 2,
  skipped: [{ position: '0:1', reason: HOSTILE }],
};

/** Each formatter of a command, with the number of lines that are ours. */
const PAGES: ReadonlyArray<[string, Printable, number]> = [
  ['topic', formatRecord(record, decoded), 10],
  ['dlq list', formatRows([entry]), 2],
  ['dlq show', formatEntry(entry), 14],
  ['dlq redrive', formatRedrive(redrive, { dryRun: true, many: HOSTILE }), 5],
  ['status', formatStatus(status), 19],
  [
    'artifacts list',
    formatArtifacts([{ kind: 'policy', number: 1, hash: HOSTILE, bytes: 1, createdAt: new Date(0), name: HOSTILE }]),
    1,
  ],
  ['doctor', formatChecks([{ what: HOSTILE, ok: false, found: HOSTILE, remedy: HOSTILE }]), 4],
];

describe('what a command prints', () => {
  it.each(PAGES)('%s: escapes every value, adds no line, and cuts what is long', (_, { text }, count) => {
    expect(LINES_OF_HOSTILE).toBeGreaterThan(5);
    expect(isClean(text)).toBe(true);
    expect(text).toContain('\\u001b');
    expect(text.split('\n')).toHaveLength(count);
    for (const one of text.split('\n')) expect(one.length).toBeLessThan(20_000);
  });

  it('shows a report of the demo without the controls of a user id', () => {
    const action = {
      strategy: 'welcome',
      userId: HOSTILE,
      stage: 'new',
      channel: 'email',
      template: 'a',
      decidedAt: '',
    };
    const report = {
      events: { sent: 1, accepted: 1, rejected: 0, duplicates: 0 },
      features: { updates: 1 },
      scores: 1,
      transitions: 1,
      stages: {},
      segments: {},
      flows: {},
      history: { origin: 'simulated', note: '' },
      actions: { total: 1, byStrategy: {}, suppressed: {} },
      latencyMs: { p50: null, p99: null },
      seconds: 1,
      visitor: {
        anonymousId: 'a',
        userId: 'u',
        sent: 1,
        page: { known: { known: false, userId: HOSTILE, tags: [] }, problems: [HOSTILE] },
      },
      examples: [{ ...action, expiresAt: '', reasons: [HOSTILE], parameters: {} }],
      trial: null,
      explained: { decided: [], whyNot: undefined },
    };
    const text = renderReport(report as unknown as Parameters<typeof renderReport>[0], { namespace: 'demo', urls: {} });
    expect(text).not.toMatch(/^ *forged/m);
  });
});

describe('the writer', () => {
  const written: string[] = [];
  const keep = (chunk: unknown) => {
    written.push(String(chunk));
    return true;
  };

  beforeEach(() => {
    written.length = 0;
    jest.spyOn(process.stdout, 'write').mockImplementation(keep);
    jest.spyOn(process.stderr, 'write').mockImplementation(keep);
  });
  afterEach(() => {
    jest.restoreAllMocks();
  });

  const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 600 }), fc.constant(HOSTILE));

  it('escapes whatever it is given', () => {
    fc.assert(
      fc.property(text, (value) => {
        written.length = 0;
        printLine(value);
        printLine(line`${value}: ${value}`);
        printLine(toTable([[value, value]]));
        printJsonLine({ [`n${value}`]: value });
        expect(written.map((one) => one.split('\n').length)).toEqual([2, 2, 2, 2]);
        printLine(lines(value, line`${value}`));
        printLine(toBody({ [`n${value}`]: [value] }));
        printText(value);
        printNotice(value);
        printJson([value]);
        COMMANDER_OUTPUT.writeErr(value);
        COMMANDER_OUTPUT.writeOut(value);
        expect(written.filter((one) => !isClean(one))).toEqual([]);
        expect(JSON.parse(written[3] ?? '')).toEqual({ [`n${value}`]: value });
      }),
    );
  });

  it('cuts a value at 256 characters, and says so', () => {
    expect(line`key ${'k'.repeat(300)}`.text).toBe(`key ${'k'.repeat(256)}... (300 characters)`);
    expect(line`${lines('a', 'b')} and ${7}`.text).toBe('a\nb and 7');
  });

  it('escapes progress', () => {
    const said: string[] = [];
    jest.useFakeTimers();
    const progress = createProgress((one) => said.push(one));
    progress.report(HOSTILE);
    jest.advanceTimersByTime(3_000);
    progress.report(HOSTILE);
    jest.useRealTimers();
    expect(said).toHaveLength(2);
    for (const one of said) expect(one).toMatch(/^ *\d+\.\d s {2}\\u001b\]0;owned[^\n]*$/);
    expect(said.every(isClean)).toBe(true);
  });

  it('prints records as JSON of the same value', () => {
    printJsonLine(toObject(record, decoded));
    expect(isClean(written[0] ?? '\0')).toBe(true);
    expect((JSON.parse(written[0] ?? '') as { value: unknown }).value).toEqual(decoded.value);
  });
});

it('is the only file of the command line that writes to the terminal', () => {
  const folder = import.meta.dirname;
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /(?<!\.test)\.ts$/.test(name),
  );
  const writers = files.filter((name) =>
    /process\.(stdout|stderr)\.write|console\.\w+\(/.test(readFileSync(join(folder, name), 'utf8')),
  );
  expect(writers).toEqual(['output.ts']);
});
