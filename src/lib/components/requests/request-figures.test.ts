import { expect, it } from 'vitest';
import { idOf, recordSample, rowSample, startMs } from '#lib/state/testing/request-samples.ts';
import { readAddress, hrefOf } from './address.ts';
import { readCaps } from './caps.ts';
import { comparedFacts, comparedParameters } from './compare.ts';
import { parseBody } from './edited-body.ts';
import { countFilters, durationChoices, keyOf, spanChoices, spanLabel, withOwn } from './filter-choices.ts';
import { gapsOf, gapWords, heightsOf } from './frame-gaps.ts';
import { ticksOf, timelineOf } from './lanes.ts';
import { messagesOf } from './messages.ts';
import { modelNames } from './model-names.ts';
import { prettyJson } from './pretty.ts';
import { contextOf, durationOf, sourceOf, spanWords, stateWords } from './request-words.ts';
import { targetOf } from './row-keys.ts';
import { slicesOf, sliceSentence } from './series.ts';
import { axisOf, timeSentence, waterfallOf } from './waterfall.ts';

it.each([
  [rowSample(1), { tone: 'soft', text: '200', icon: 'check' }],
  [rowSample(1, { finish_reason: 'tool_calls' }), { tone: 'soft', text: '200', icon: 'tool' }],
  [rowSample(1, { state: 'decode' }), { tone: 'live', text: 'Streaming' }],
  [rowSample(1, { state: 'cancelled', status_code: 499 }), { tone: 'warn', text: 'Cancelled', icon: 'stop' }],
  [rowSample(1, { state: 'failed', status_code: 503 }), { tone: 'bad', text: '503', icon: 'bad' }],
  [rowSample(1, { state: 'lost' }), { tone: 'bad', text: 'Lost', icon: 'offline' }],
])('says how a request stands', (row, words) => expect(stateWords(row)).toEqual(words));

it('writes spans of time for people', () => {
  const spans = [0, 2.4, 374, 999.6, 6670, 12_340, 59_960, 125_000].map(spanWords);
  expect(spans).toEqual(['0 ms', '2 ms', '374 ms', '1.00 s', '6.67 s', '12.3 s', '1 min 0 s', '2 min 5 s']);
});

it('counts on while a request is under way', () => {
  const { duration_ms: _, ...timing } = rowSample(1).timing;
  const row = rowSample(1, { state: 'decode', timing, started_ms: 1000 });
  expect([durationOf(row, 3500), durationOf(row, 0)]).toEqual([2500, 0]);
  expect(durationOf({ ...row, state: 'lost' }, 3500)).toBeUndefined();
});

it('tells the context that was taken, where it is known', () => {
  expect(contextOf(rowSample(1))).toMatchObject({ tokens: 2702, words: '2,702 of 8,192 tokens' });
  expect(contextOf(rowSample(1, { context_size: 0 }))).toBeUndefined();
});

it('names a source so that it cannot hide', () => {
  expect(sourceOf({ kind: 'program', name: 'curl/8\u202e' })).toBe('curl/8⟨U+202E⟩');
  expect(sourceOf({ kind: 'page' })).toBe('Sampan');
});

it('lays the phases one after another', () => {
  const { totalMs, phases } = waterfallOf(rowSample(1), 0);
  expect(totalMs).toBe(6670);
  expect(phases.map(({ ms }) => ms)).toEqual([38, 0, 374, 6258]);
  expect(phases.map(({ startPercent }) => Math.round(startPercent * 10) / 10)).toEqual([0, 0.6, 0.6, 6.2]);
  for (const { startPercent, widthPercent } of phases)
    expect(startPercent + widthPercent).toBeLessThanOrEqual(100);
  expect(axisOf(6670)).toEqual(['0', '1.3', '2.7', '4.0', '5.3', '6.7 s']);
  expect(axisOf(50)).toEqual(['0', '10', '20', '30', '40', '50 ms']);
});

it('lets the phase that is under way last until now', () => {
  const row = rowSample(1, { state: 'loading', timing: { queue_ms: 100 }, started_ms: 0 });
  const { totalMs, phases } = waterfallOf(row, 1100);
  expect(totalMs).toBe(1100);
  expect(phases.map(({ ms }) => ms)).toEqual([100, 1000, undefined, undefined]);
});

it('has no bar for a request that failed at once', () => {
  const { phases } = waterfallOf(rowSample(1, { state: 'failed', timing: { duration_ms: 0 } }), 0);
  expect(phases.every(({ widthPercent }) => widthPercent === 0)).toBe(true);
});

it('says where the time went', () => {
  expect(timeSentence(rowSample(1))).toBe(
    'Model was already loaded. 2,448 of 2,526 prompt tokens came from cache; 78 were prefilled at 209 tok/s.',
  );
  const usage = { prompt_tokens: 10, cached_tokens: 0, completion_tokens: 1 };
  expect(timeSentence(rowSample(1, { usage, timing: { load_ms: 2000 } }))).toBe(
    'The model was loaded first, for 2.00 s. 10 prompt tokens were prefilled.',
  );
});

it('has a lane for each of the models that are asked most', () => {
  const models = ['a', 'a', 'b', 'b', 'c', 'c', 'd', 'e'];
  const rows = models.map((model, index) => rowSample(100 - index, { model }));
  rows.push(rowSample(1, { model: 'a', state: 'failed' }));
  const timeline = timelineOf(rows, startMs + 110_000);
  expect(timeline.lanes).toEqual(['a', 'b', 'c', 'other']);
  expect(timeline.bars.map(({ lane }) => lane)).toEqual([0, 0, 1, 1, 2, 2, 3, 3, 0]);
  expect(timeline.bars.at(-1)).toMatchObject({ id: idOf(1), x: 0, colour: '--danger' });
  expect(timeline.words).toMatch(/9 requests in 4 lanes, 1 failed$/);
  expect(ticksOf(timeline)).toHaveLength(6);
});

it('has a timeline of one request, whenever it began', () => {
  const { bars, fromMs, toMs } = timelineOf([rowSample(1)], startMs);
  expect(toMs - fromMs).toBe(60_000);
  expect(bars).toHaveLength(1);
  for (const { x, width } of bars) expect(Number.isFinite(x + width)).toBe(true);
});

it('puts requests into slices of time', () => {
  const rows = [3, 2, 1].map((n) => rowSample(n, { state: n === 2 ? 'failed' : 'done' }));
  const slices = slicesOf(rows);
  expect(slices.times).toHaveLength(3);
  expect(slices.tokens).toEqual([176, 176, 176]);
  expect(slices.errors).toEqual([0, 1, 0]);
  expect(slices.firstTokenMs).toEqual([412, 412, 412]);
  expect(slicesOf([])).toMatchObject({ times: [], tokens: [] });
  expect(slicesOf([rowSample(1, { timing: {} })]).tokensPerSecond).toEqual([null]);
  const many = Array.from({ length: 5000 }, (_, index) => rowSample(5000 - index));
  expect(slicesOf(many).times.length).toBeLessThanOrEqual(60);
  expect(sliceSentence(rows)).toBe(
    '3 requests, median time to first token 412 ms, median speed 28.1 tok/s, 528 tokens written, 1 failed',
  );
});

it('measures the pauses of a stream', () => {
  const frames = [0, 30, 60, 200].map((at_ms) => ({ at_ms, text: '' }));
  expect(gapsOf(frames)).toEqual([30, 30, 140]);
  expect(gapWords([30, 30, 140])).toBe('Gap between frames: median 30 ms, p95 140 ms, longest 140 ms');
  expect(heightsOf(gapsOf(frames), 2)).toEqual([30 / 140, 1]);
  expect(
    heightsOf(
      Array.from({ length: 100_000 }, () => 1),
      180,
    ).length,
  ).toBeLessThanOrEqual(180);
});

it('finds what differs between two requests', () => {
  const right = recordSample(2, { model: 'ai/other', parameters_in_force: { temperature: 1, top_k: 40 } });
  const differing = comparedFacts(recordSample(1), right).filter(({ differs }) => differs);
  expect(differing).toEqual([
    { label: 'Model', values: ['ai/qwen3:1.7B-Q4_K_M', 'ai/other'], differs: true },
  ]);
  expect(comparedParameters(recordSample(1), right)).toMatchObject([
    { label: 'context_size', values: ['8192', '–'] },
    { label: 'stream', differs: false },
    { label: 'temperature', values: ['0.6', '1'] },
    { label: 'top_k', values: ['–', '40'] },
  ]);
});

it('reads the messages of any body', () => {
  const parts = [
    { type: 'text', text: 'What is it?' },
    { type: 'image_url', image_url: { url: 'data:…' } },
  ];
  const calls = [{ id: 'call_1' }];
  const messages = [
    { role: 'user', content: parts },
    { role: 'assistant', content: null, tool_calls: calls },
  ];
  expect(messagesOf({ messages })).toEqual([
    { role: 'user', text: 'What is it?\n[picture]' },
    { role: 'assistant', text: JSON.stringify(calls, undefined, 2) },
  ]);
  expect(messagesOf({ prompt: 'Once' })).toEqual([{ role: 'prompt', text: 'Once' }]);
  expect(messagesOf({ input: ['a', 'b'] }).map(({ text }) => text)).toEqual(['a', 'b']);
  expect(messagesOf({ query: 'q', documents: ['d'] }).map(({ role }) => role)).toEqual([
    'prompt',
    'document',
  ]);
  for (const body of [undefined, null, 7, [], {}, { messages: 'odd' }]) expect(messagesOf(body)).toEqual([]);
  expect(messagesOf({ messages: [null, 3, { role: {}, content: [[1]] }] })).toHaveLength(3);
});

it('says why a typed body cannot be sent', () => {
  expect(parseBody('{"a": 1}')).toEqual({ status: 'right', body: { a: 1 } });
  expect(parseBody(' ')).toMatchObject({ status: 'wrong', why: expect.stringContaining('empty') });
  for (const text of ['[]', '3', 'null']) expect(parseBody(text)).toMatchObject({ status: 'wrong' });
  expect(parseBody('{\n"a": 1,\n oops}')).toMatchObject({ why: expect.stringContaining('line 3') });
});

it('holds the caps to what the recorder takes', () => {
  expect(readCaps('100', '256')).toEqual({ status: 'right', count: 100, bytes: 256 * 1024 * 1024 });
  for (const count of ['0', '100001', '1e3', '', '-1'])
    expect(readCaps(count, '1')).toMatchObject({ field: 'count' });
  for (const size of ['0', '65537', '1.5']) expect(readCaps('1', size)).toMatchObject({ field: 'size' });
});

it('shows JSON indented, and anything else as it is', () => {
  expect(prettyJson('{"a":[1]}')).toBe('{\n  "a": [\n    1\n  ]\n}');
  expect(prettyJson('{"a":')).toBe('{"a":');
});

it('moves with the keys and stops at the ends', () => {
  const at = (key: string, from: number) => targetOf(key, from, 30);
  expect(['ArrowDown', 'j', 'J', 'ArrowUp', 'k', 'PageDown', 'Home', 'End'].map((key) => at(key, 5))).toEqual(
    [6, 6, 6, 4, 4, 15, 0, 29],
  );
  expect([at('ArrowUp', 0), at('PageDown', 28), at('ArrowDown', -1), at('End', -1)]).toEqual([0, 29, 0, 29]);
  expect([at('x', 5), at('Enter', 5), targetOf('ArrowDown', -1, 0)]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});

it('keeps an address short and whole', () => {
  const href = '/requests?q=x&id=req_1&with=req_2&tab=response';
  expect(hrefOf(readAddress(new URLSearchParams(href.split('?')[1])))).toBe(href);
  expect(hrefOf(readAddress(new URLSearchParams('id=&with=a&tab=odd')))).toBe('/requests');
});

it('shows a filter of the address that is none of the choices', () => {
  const choices = withOwn(spanChoices, { kind: 'between', fromMs: 1, toMs: 2 }, spanLabel);
  expect(keyOf(choices, { kind: 'between', fromMs: 1, toMs: 2 })).toBe('own');
  expect(choices).toHaveLength(spanChoices.length + 1);
  expect(keyOf(withOwn(durationChoices, 5000, String), 5000)).toBe('5000');
  expect(countFilters(readAddress(new URLSearchParams('model=a&min=5&q=x')).query)).toBe(2);
});

it('offers models that were asked for and are not here', () => {
  const rows = [rowSample(1, { model: 'gpt-4o-mini' }), rowSample(2, { model: '' })];
  expect(modelNames(undefined, rows)).toEqual(['gpt-4o-mini']);
});
