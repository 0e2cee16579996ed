import { describe, expect, it } from '@jest/globals';
import { AcceptedEvent, AcceptedRecord, FeatureRecord } from '@perennial/contracts';
import { compileFeatures, ECOMMERCE_FEATURES } from '@perennial/feature-engine';
import { AppError } from '@perennial/kernel';
import { CommanderError } from 'commander';
import { createUpCommand } from './commands/up.js';
import { MachineError, toExitCode, toReport } from './exit-codes.js';
import { parsePort, parseWhole } from './options.js';
import { toTable } from './output.js';
import { addTallies, toSummaryLine, toTally } from './test-run/tally.js';
import { decodeValue } from './topic/decode.js';
import { resolveTopic, SHORT_NAMES } from './topic/names.js';
import { parseFrom, toStartOffset } from './topic/read.js';

const spec = compileFeatures(ECOMMERCE_FEATURES);

describe('arguments', () => {
  it.each(['0', '65536', 'x', '1.5', '', '1e3'])('rejects port %j', (text) => expect(() => parsePort(text)).toThrow());

  it('takes whole numbers within bounds', () => {
    expect(parsePort('9092')).toBe(9092);
    expect(parseWhole('-3', { min: -5, max: 5 })).toBe(-3);
  });

  it.each([
    ['beginning', 'beginning'],
    ['end', 'end'],
    ['12', 12],
    ['-5', -5],
  ])('reads --from %s', (text, from) => expect(parseFrom(text)).toBe(from));

  it('rejects another --from', () => expect(() => parseFrom('middle')).toThrow());

  it.each([
    ['beginning', 10],
    ['end', 20],
    [3, 10],
    [15, 15],
    [99, 20],
    [-4, 16],
    [-99, 10],
  ] as const)('starts --from %s at offset %i of 10 to 20', (from, offset) =>
    expect(toStartOffset(from, { low: 10, high: 20 })).toBe(offset),
  );

  it('rejects a bad namespace as wrong usage', async () => {
    const command = createUpCommand()
      .exitOverride()
      .configureOutput({ writeErr: () => undefined });
    const error: unknown = await command
      .parseAsync(['--namespace', 'Bad Name'], { from: 'user' })
      .catch((thrown: unknown) => thrown);
    expect(toExitCode(error)).toBe(2);
  });
});

describe('exit codes', () => {
  it('tell what went wrong', () => {
    expect(toExitCode(new CommanderError(0, 'commander.helpDisplayed', ''))).toBe(0);
    expect(toExitCode(new CommanderError(1, 'commander.unknownOption', ''))).toBe(2);
    expect(toExitCode(new AppError('config_invalid', 'x'))).toBe(2);
    expect(toExitCode(new AppError('timeout', 'x'))).toBe(1);
    expect(toExitCode(new Error('x'))).toBe(1);
    const missing = new MachineError([{ what: 'Java', ok: false, found: 'none', remedy: 'install it' }]);
    expect(toExitCode(missing)).toBe(3);
    expect(toReport(missing)).toContain('Java: none\n    install it');
  });
});

describe('topic names', () => {
  it('are accepted short, long, as in code, and with a prefix', () => {
    expect(SHORT_NAMES).toContain('record.dead-lettered');
    const expected = { name: 'or.lifecycle.action.decided.v1', topic: 'actionDecided' };
    for (const text of [
      'action.decided',
      'actionDecided',
      'lifecycle.action.decided.v1',
      'or.lifecycle.action.decided.v1',
    ]) {
      expect(resolveTopic(text, 'or')).toEqual(expected);
    }
    expect(resolveTopic('action.decided', 'live').name).toBe('lifecycle.action.decided.v1');
    expect(resolveTopic('something', 'or')).toEqual({ name: 'something', topic: undefined });
  });
});

describe('values', () => {
  it('shows an accepted event with its times and properties', () => {
    const event = {
      ...AcceptedEvent.decode(new Uint8Array()),
      messageId: 'm',
      sourceId: 's',
      type: 'track',
      name: 'Order Completed',
      timestampMs: 0,
      receivedAtMs: 1_700_000_000_000,
      subject: Buffer.from([1]),
      anonymous: false,
      propertiesJson: Buffer.from('{"revenue":5}'),
      timeZone: '',
      currency: '',
      namedIds: [],
      forwardedTo: undefined,
    };
    const bytes = Buffer.from(AcceptedRecord.encode({ record: { $case: 'event', value: event } }).finish());
    const decoded = decodeValue('eventAccepted', bytes);
    expect(decoded.kind).toBe('event');
    expect(decoded.value).toMatchObject({
      receivedAtMs: '2023-11-14T22:13:20.000Z',
      propertiesJson: { revenue: 5 },
      subject: 'AQ==',
    });
  });

  it('names features where the spec is known', () => {
    const values = spec.names.map((_, i) => (i === 0 ? Number.NaN : i));
    const updated = {
      specHash: spec.specHash,
      asOfMs: 1,
      values,
      lastEventAtMs: 1,
      subject: Buffer.alloc(0),
      timeZone: '',
      event: undefined,
      attributes: [],
    };
    const bytes = Buffer.from(FeatureRecord.encode({ record: { $case: 'updated', value: updated } }).finish());
    const { value } = decodeValue('featureUpdated', bytes) as { value: { values: Record<string, number | null> } };
    expect(value.values[String(spec.names[0])]).toBeNull();
    expect(value.values[String(spec.names[1])]).toBe(1);
  });

  it('falls back to JSON, hex, a tombstone, and the reason why not', () => {
    expect(decodeValue('actionDecided', Buffer.from('{"a":1}'))).toEqual({ kind: 'json', value: { a: 1 } });
    expect(decodeValue(undefined, Buffer.from([0xff]))).toEqual({ kind: 'bytes', value: 'ff' });
    expect(decodeValue('eventAccepted', null)).toEqual({ kind: 'tombstone', value: null });
    expect(decodeValue('eventAccepted', Buffer.from([0x0a, 0xff])).kind).toBe('undecodable');
  });
});

describe('test summary', () => {
  const result = {
    numPassedTests: 3,
    numFailedTests: 0,
    numPendingTests: 0,
    numTodoTests: 0,
    numRuntimeErrorTestSuites: 0,
    success: true,
  };

  it('adds suites up', () => {
    const tally = addTallies([
      toTally(result),
      toTally({ ...result, numFailedTests: 2, numPendingTests: 1, success: false }),
    ]);
    expect(toSummaryLine(tally)).toBe('6 passed, 2 failed, 1 skipped');
    expect(toSummaryLine(toTally(result))).toBe('3 passed, 0 failed');
  });

  it('never hides a suite that could not run', () => {
    expect(toTally({ ...result, numRuntimeErrorTestSuites: 1, success: false }).failed).toBe(1);
    expect(toTally({ ...result, success: false }).failed).toBe(1);
  });
});

describe('tables', () => {
  it('line up', () => {
    expect(
      toTable([
        ['a', 'bbb', 'c'],
        ['aaaa', 'b', 'c'],
      ]).text,
    ).toBe('a     bbb  c\naaaa  b    c');
  });
});
