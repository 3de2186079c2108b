import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ChatEvent } from '#lib/openai/events.ts';
import { CallReader, readCalls } from './call-reader.ts';

const names = new Set(['f', 'g']);

interface Read {
  readonly text: string;
  /** Names with their arguments. */
  readonly calls: readonly (readonly [string, string])[];
}

function read(pieces: readonly string[]): Read {
  const reader = new CallReader(names);
  return joined([...pieces.flatMap((piece) => reader.add(piece)), ...reader.end()]);
}

function joined(events: readonly ChatEvent[]): Read {
  let text = '';
  const calls: [string, string][] = [];
  for (const event of events) {
    if (event.type === 'text') text += event.text;
    if (event.type === 'tool-call') calls[event.index] = [event.name, ''];
    const call = event.type === 'tool-arguments' ? calls[event.index] : undefined;
    if (call && event.type === 'tool-arguments') call[1] += event.text;
  }
  return { text, calls };
}

const said = (text: string): Read => ({ text, calls: [] });
const called = (...calls: [string, string][]): Read => ({ text: '', calls });

const cases: readonly [string, Read][] = [
  ['{"tool_calls":[{"name":"f","arguments":{"x":1}}]}', called(['f', '{"x":1}'])],
  [
    '{"tool_calls":[{"name":"f","arguments":{}},{"name":"g","arguments":{"y":[1,{}]}}]}',
    called(['f', '{}'], ['g', '{"y":[1,{}]}']),
  ],
  [' {\n "tool_calls" : [ { "name" : "f" , "arguments" : { "x" : 1 } } ] }\n', called(['f', '{ "x" : 1 }'])],
  ['```json\n{"tool_calls":[{"name":"f","arguments":{}}]}\n```', called(['f', '{}'])],
  ['{"tool_calls":[{"name":"f","arguments":{"x":"}]\\"{[\\\\"}}]}', called(['f', '{"x":"}]\\"{[\\\\"}'])],
  ['{"tool_calls":[{"arguments":{"x":1},"name":"f"}]}', called(['f', '{"x":1}'])],
  ['{"tool_calls":[{"name":"f","arguments":"{\\"x\\":1}"}]}', called(['f', '{"x":1}'])],
  ['{"tool_calls":[{"name":"f","parameters":{"x":1}}]}', called(['f', '{"x":1}'])],
  [
    '{"tool_calls":[{"name":"f","arguments":{}},{"arguments":{},"name":"g"}]}',
    called(['f', '{}'], ['g', '{}']),
  ],
  ['{"tool_calls":[{"name":"f","arguments":{"x":1', called(['f', '{"x":1'])],
  ['{"tool_calls":[{"name":"f","arguments":{}}, and so on', called(['f', '{}'])],
  [
    '{"tool_calls":[{"name":"unknown","arguments":{}}]}',
    said('{"tool_calls":[{"name":"unknown","arguments":{}}]}'),
  ],
  ['{"tool_calls":[]}', said('{"tool_calls":[]}')],
  ['{"tool_calls":[{"name":"f"', said('{"tool_calls":[{"name":"f"')],
  ['{"tool', said('{"tool')],
  ['{"city":"Paris"}', said('{"city":"Paris"}')],
  [
    'Plain words {"tool_calls":[{"name":"f","arguments":{}}]}',
    said('Plain words {"tool_calls":[{"name":"f","arguments":{}}]}'),
  ],
  ['```js\ncode\n```', said('```js\ncode\n```')],
  ['  ', said('  ')],
  ['', said('')],
];

describe('the generic form of calls', () => {
  it.each(cases)('is read from %j', (text, expected) => {
    expect(read([text])).toEqual(expected);
  });

  it('is read alike however the text is cut', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...cases),
        fc.array(fc.nat(9), { maxLength: 30 }),
        ([text, expected], cuts) => {
          const pieces: string[] = [];
          let rest = text;
          for (const cut of cuts) {
            pieces.push(rest.slice(0, cut));
            rest = rest.slice(cut);
          }
          expect(read([...pieces, rest])).toEqual(expected);
        },
      ),
      { numRuns: 400 },
    );
  });

  it('tells a call when its name is known, and arguments as they come', () => {
    const reader = new CallReader(names, () => 'call_1');
    expect(reader.add('{"tool_calls":[{"name":"f","argu')).toEqual([]);
    expect(reader.add('ments":{"x"')).toEqual([
      { type: 'tool-call', index: 0, id: 'call_1', name: 'f' },
      { type: 'tool-arguments', index: 0, text: '{"x"' },
    ]);
    expect(reader.add(':1')).toEqual([{ type: 'tool-arguments', index: 0, text: ':1' }]);
  });

  it('lets text through at once when it cannot be a call', () => {
    const reader = new CallReader(names);
    expect(reader.add('{"')).toEqual([]);
    expect(reader.add('a')).toEqual([{ type: 'text', text: '{"a' }]);
    expect(reader.add('{"tool_calls":[')).toEqual([{ type: 'text', text: '{"tool_calls":[' }]);
  });

  it('gives each call an id of its own', () => {
    const reader = new CallReader(names);
    const events = reader.add('{"tool_calls":[{"name":"f","arguments":{}},{"name":"f","arguments":{}}]}');
    const ids = events.flatMap((event) => (event.type === 'tool-call' ? [event.id] : []));
    expect(new Set(ids).size).toBe(2);
    for (const id of ids) expect(id).toMatch(/^call_[0-9a-f]{24}$/);
  });
});

describe('the events of an answer', () => {
  const finish = (reason: 'stop' | 'length'): ChatEvent => ({
    type: 'finish',
    reason,
    usage: { promptTokens: 1, cachedTokens: 0, completionTokens: 1 },
    timings: { prefillTokens: 1, prefillMs: 1, decodeTokens: 1, decodeMs: 1 },
  });
  const token = (text: string) => ({ token: text, bytes: [], logprob: -1, top: [] });

  async function events(...given: ChatEvent[]): Promise<ChatEvent[]> {
    async function* source() {
      yield* await Promise.resolve(given);
    }
    const told: ChatEvent[] = [];
    for await (const event of readCalls(source(), names)) told.push(event);
    return told;
  }

  it('end with “tool_calls” where there were some, and with “length” where one was cut', async () => {
    const call: ChatEvent = { type: 'text', text: '{"tool_calls":[{"name":"f","arguments":{}}]}' };
    expect((await events(call, finish('stop'))).at(-1)).toMatchObject({ reason: 'tool_calls' });
    const cut: ChatEvent = { type: 'text', text: '{"tool_calls":[{"name":"f","arguments":{"' };
    expect((await events(cut, finish('length'))).at(-1)).toMatchObject({ reason: 'length' });
    expect((await events({ type: 'text', text: 'Hi' }, finish('stop'))).at(-1)).toMatchObject({
      reason: 'stop',
    });
  });

  it('keep thoughts, and the probabilities of text that was held back', async () => {
    const [thought, text] = await events(
      { type: 'reasoning', text: 'Hm.' },
      { type: 'text', text: '{', logprobs: [token('{')] },
      { type: 'text', text: 'x', logprobs: [token('x')] },
      finish('stop'),
    );
    expect(thought).toEqual({ type: 'reasoning', text: 'Hm.' });
    expect(text).toEqual({ type: 'text', text: '{x', logprobs: [token('{'), token('x')] });
  });
});
