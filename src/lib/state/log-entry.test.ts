import { expect, it } from 'vitest';
import { logEntry, piecesOf } from './log-entry.ts';
import { logFile } from './log-file.ts';
import { lineSample } from './testing/log-samples.ts';

const failed = lineSample(1, {
  level: 'error',
  message: 'request failed',
  fields: { request: 'req_1', code: 'internal', status: 500 },
});

it('is the message and its fields', () => {
  expect(logEntry(failed).text).toBe('request failed request=req_1 code=internal status=500');
});

it('is cut into message, fields, the id of a request, and matches', () => {
  const pieces = piecesOf(logEntry(failed), [{ start: 8, end: 18 }]);
  expect(pieces.map(({ text, kind, isMatch }) => [text, kind, isMatch])).toEqual([
    ['request ', 'message', false],
    ['failed', 'message', true],
    [' req', 'field', true],
    ['uest=', 'field', false],
    ['req_1', 'request', false],
    [' code=internal status=500', 'field', false],
  ]);
});

it('shows what is hidden, and cuts what is far too long', () => {
  const hostile = lineSample(1, { message: `\u001b[31m${'x'.repeat(20_000)}`, fields: { 'a\u202e': '\0' } });
  const { text } = logEntry(hostile);
  expect(text.startsWith('␛[31mx')).toBe(true);
  expect(text.endsWith('x… and 10005 more a⟨U+202E⟩=␀')).toBe(true);
});

it('is saved as a text of one line each, or as JSON as it came', () => {
  const entries = [logEntry(failed), logEntry(lineSample(2, { message: 'two\nlines' }))];
  expect(logFile(entries, 'text')).toBe(
    '2026-01-01T12:00:00.001Z ERROR runner request failed request=req_1 code=internal status=500\n' +
      '2026-01-01T12:00:00.002Z INFO  runner two\n    lines\n',
  );
  const lines = logFile(entries, 'jsonl').trim().split('\n');
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(entries.map(({ line }) => line));
});
