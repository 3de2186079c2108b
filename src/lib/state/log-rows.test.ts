import { expect, it } from 'vitest';
import { logEntry } from './log-entry.ts';
import { LogRows, type LogRow } from './log-rows.ts';
import { engineSample, lineSample } from './testing/log-samples.ts';
import type { LogLineJson } from '#lib/model/wire-requests.ts';

const folding = { engineOutput: 'folded', openFolds: [] } as const;

function add(rows: LogRows, ...lines: readonly LogLineJson[]): void {
  for (const line of lines) rows.add(logEntry(line), []);
}

function words(rows: LogRows): readonly string[] {
  return rows.snapshot().map(wordOf);
}

function wordOf(row: LogRow): string {
  if (row.kind === 'day') return 'day';
  if (row.kind === 'line') return `${row.isFolded ? '  ' : ''}${row.entry.line.message}`;
  return `${row.component} of ${row.model ?? 'none'}: ${row.entries.length}`;
}

function foldAt(rows: LogRows, at: number) {
  const row = rows.snapshot()[at];
  if (row?.kind !== 'fold') throw new Error(`row ${at} is no fold`);
  return row;
}

it('folds what an engine says in a run, by the model that was loaded', () => {
  const rows = new LogRows(folding);
  add(rows, lineSample(1, { message: 'model loads', fields: { model: 'ai/a' } }));
  add(rows, engineSample(2), engineSample(3, { level: 'debug' }), engineSample(4, { level: 'warn' }));
  add(
    rows,
    engineSample(5),
    engineSample(6, { component: 'webllm' }),
    engineSample(7, { fields: { model: 'b' } }),
  );
  expect(words(rows)).toEqual([
    'day',
    'model loads',
    'llama.cpp of ai/a: 2',
    'tensor 4',
    'llama.cpp of ai/a: 1',
    'webllm of ai/a: 1',
    'llama.cpp of b: 1',
  ]);
  expect(rows.lineCount).toBe(7);
});

it('shows every line apart on demand', () => {
  const rows = new LogRows({ ...folding, engineOutput: 'apart' });
  add(rows, engineSample(1), engineSample(2));
  expect(words(rows)).toEqual(['day', 'tensor 1', 'tensor 2']);
});

it('opens and closes a fold in place, while it grows', () => {
  const rows = new LogRows(folding);
  add(rows, engineSample(1), lineSample(2), engineSample(3));
  rows.toggle(foldAt(rows, 1));
  add(rows, engineSample(4));
  rows.toggle(foldAt(rows, 4));
  add(rows, engineSample(5));
  expect(words(rows)).toEqual([
    'day',
    'llama.cpp of none: 1',
    '  tensor 1',
    'line 2',
    'llama.cpp of none: 3',
    '  tensor 3',
    '  tensor 4',
    '  tensor 5',
  ]);
  rows.toggle(foldAt(rows, 1));
  add(rows, engineSample(6));
  rows.toggle(foldAt(rows, 3));
  expect(words(rows)).toEqual(['day', 'llama.cpp of none: 1', 'line 2', 'llama.cpp of none: 4']);
  expect(rows.lineCount).toBe(6);
});

it('keeps the folds open that were', () => {
  const rows = new LogRows({ ...folding, openFolds: ['fold 1'] });
  add(rows, engineSample(1), engineSample(2));
  expect(words(rows)).toEqual(['day', 'llama.cpp of none: 2', '  tensor 1', '  tensor 2']);
});

it('begins every day with a row of its own', () => {
  const rows = new LogRows(folding);
  const nextDay = lineSample(1).time_ms + 24 * 3600_000;
  add(rows, engineSample(1), engineSample(2, { time_ms: nextDay }));
  expect(words(rows)).toEqual(['day', 'llama.cpp of none: 1', 'day', 'llama.cpp of none: 1']);
});

it('lets go of old lines, also of those in a fold that goes on', () => {
  const rows = new LogRows({ ...folding, openFolds: ['fold 2'] });
  add(rows, lineSample(1), engineSample(2), engineSample(3), engineSample(4));
  expect(rows.dropBefore(1)).toBe(false);
  expect(rows.dropBefore(3)).toBe(true);
  expect(words(rows)).toEqual(['llama.cpp of none: 2', '  tensor 3', '  tensor 4']);
  add(rows, engineSample(5));
  expect(words(rows)).toEqual(['llama.cpp of none: 3', '  tensor 3', '  tensor 4', '  tensor 5']);
  expect(rows.lineCount).toBe(3);
  expect(rows.dropBefore(9)).toBe(true);
  add(rows, engineSample(9));
  expect(words(rows)).toEqual(['llama.cpp of none: 1']);
});
