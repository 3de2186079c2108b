import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Tool } from '#lib/openai/chat.ts';
import { ToolCallParser } from './parser.ts';
import { callFormatOf, type CallFormat } from './syntax.ts';

const parameters = { type: 'object', properties: { city: { type: 'string' }, days: { type: 'integer' } } };
const tools: Tool[] = ['weather', 'time'].map((name) => ({
  type: 'function',
  function: { name, parameters },
}));

interface Read {
  readonly text: string;
  readonly calls: readonly { readonly name: string; readonly arguments: string }[];
}

function read(format: CallFormat, pieces: readonly string[]): Read {
  let id = 0;
  const parser = new ToolCallParser({ format, tools, newId: () => `call_${id++}` });
  const parts = [...pieces.flatMap((piece) => [...parser.add(piece)]), ...parser.end()];
  const calls: { name: string; arguments: string }[] = [];
  let text = '';
  for (const part of parts) {
    if (part.type === 'text') text += part.text;
    else if (part.type === 'tool-call') {
      expect([part.index, part.id]).toEqual([calls.length, `call_${calls.length}`]);
      calls.push({ name: part.name, arguments: '' });
    } else {
      expect(part.index).toBe(calls.length - 1);
      const call = calls.at(-1);
      if (call) call.arguments += part.text;
    }
  }
  expect(parser.completeCalls).toBeLessThanOrEqual(calls.length);
  return { text, calls };
}

const rome = { name: 'weather', arguments: '{"city": "Rome"}' };
const noon = { name: 'time', arguments: '{}' };
const call = (content: string) => `<tool_call>\n${content}\n</tool_call>`;
const romeJson = '{"name": "weather", "arguments": {"city": "Rome"}}';

const cases: readonly [CallFormat, string, Read][] = [
  ['hermes', call(romeJson), { text: '', calls: [rome] }],
  ['hermes', `Let me see.\n${call(romeJson)}`, { text: 'Let me see.\n', calls: [rome] }],
  [
    'hermes',
    `${call(romeJson)}\n${call('{"name": "time", "arguments": {}}')}\n`,
    { text: '', calls: [rome, noon] },
  ],
  ['hermes', `\n${call(romeJson)}\n\nDone.`, { text: 'Done.', calls: [rome] }],
  ['hermes', 'No <tool here, a < b', { text: 'No <tool here, a < b', calls: [] }],
  ['hermes', '  spaces  ', { text: '  spaces  ', calls: [] }],
  ['hermes', ' \n', { text: ' \n', calls: [] }],
  ['hermes', '', { text: '', calls: [] }],
  ['hermes', call('not json'), { text: call('not json'), calls: [] }],
  ['hermes', call('{"arguments": {}}'), { text: call('{"arguments": {}}'), calls: [] }],
  ['hermes', call('{"name": 7, "arguments": {}}'), { text: call('{"name": 7, "arguments": {}}'), calls: [] }],
  ['hermes', '<tool_call>\n{"name": "wea', { text: '<tool_call>\n{"name": "wea', calls: [] }],
  [
    'hermes',
    '<tool_call>\n{"name": "weather", "arguments": {"city": "Ro',
    { text: '', calls: [{ name: 'weather', arguments: '{"city": "Ro' }] },
  ],
  [
    'hermes',
    call('{"name": "weather", "arguments": {"city": "Rome",}}'),
    { text: '', calls: [{ name: 'weather', arguments: '{"city": "Rome",}' }] },
  ],
  [
    'hermes',
    call('{"name": "weather", "arguments": {"city": "Rome"'),
    { text: '', calls: [{ name: 'weather', arguments: '{"city": "Rome"\n' }] },
  ],
  [
    'hermes',
    call('{"name": "weather", "arguments": {"city": "</tool_call>}{\\""}, "id": "x{"}'),
    { text: '', calls: [{ name: 'weather', arguments: '{"city": "</tool_call>}{\\""}' }] },
  ],
  [
    'hermes',
    call('{"arguments": {"city": "Rome"}, "name": "weather"}'),
    { text: '', calls: [{ name: 'weather', arguments: '{"city":"Rome"}' }] },
  ],
  [
    'hermes',
    call('{"name": "weather", "arguments": "{\\"city\\": \\"Rome\\"}"}'),
    { text: '', calls: [rome] },
  ],
  ['hermes', call('{"name": "time"}'), { text: '', calls: [noon] }],
  [
    'hermes',
    call(
      '<function=weather>\n<parameter=city>\nRome\n</parameter>\n<parameter=days>\n3\n</parameter>\n</function>',
    ),
    { text: '', calls: [{ name: 'weather', arguments: '{"city":"Rome","days":3}' }] },
  ],
  ['hermes', call('<b>bold</b>'), { text: call('<b>bold</b>'), calls: [] }],
  ['llama', '{"name": "weather", "parameters": {"city": "Rome"}}', { text: '', calls: [rome] }],
  [
    'llama',
    '<|python_tag|>{"name": "weather", "parameters": {"city": "Rome"}}; {"name": "time", "parameters": {}}',
    { text: '', calls: [rome, noon] },
  ],
  [
    'llama',
    '{"type": "function", "function": {"name": "weather", "parameters": {"city": "Rome"}}}',
    { text: '', calls: [{ name: 'weather', arguments: '{"city":"Rome"}' }] },
  ],
  [
    'llama',
    '{"name": "Ada", "parameters": {"born": 1815}}',
    { text: '{"name": "Ada", "parameters": {"born": 1815}}', calls: [] },
  ],
  [
    'llama',
    '<|python_tag|>search.call(query="x")',
    { text: '<|python_tag|>search.call(query="x")', calls: [] },
  ],
  ['llama', 'An object: {"name": "time"}', { text: 'An object: {"name": "time"}', calls: [] }],
  [
    'mistral',
    '[TOOL_CALLS][{"name": "weather", "arguments": {"city": "Rome"}}, {"name": "time", "arguments": {}, "id": "abc"}]',
    { text: '', calls: [rome, noon] },
  ],
  [
    'mistral',
    '[TOOL_CALLS] [{"name": "weather", "arguments": {"city": "Rome"}}]',
    { text: '', calls: [rome] },
  ],
  [
    'mistral',
    '[TOOL_CALLS]weather[ARGS]{"city": "Rome"}[TOOL_CALLS]time[CALL_ID]abc123def[ARGS]{}',
    { text: '', calls: [rome, noon] },
  ],
  ['mistral', 'See [TOOL and [1]', { text: 'See [TOOL and [1]', calls: [] }],
  ['mistral', '[TOOL_CALLS]!', { text: '[TOOL_CALLS]!', calls: [] }],
  ['mistral', '[TOOL_CALLS][]', { text: '[TOOL_CALLS][]', calls: [] }],
];

/** The text in pieces of the given lengths. */
function cut(text: string, lengths: readonly number[]): readonly string[] {
  const pieces: string[] = [];
  let rest = text;
  for (const length of lengths) {
    pieces.push(rest.slice(0, length));
    rest = rest.slice(length);
  }
  return [...pieces, rest];
}

describe('calls in the text of an answer', () => {
  it.each(cases)('are read (%s): %j', (format, text, expected) => {
    expect(read(format, [text])).toEqual(expected);
  });

  it('are read alike however the text is cut', () => {
    fc.assert(
      fc.property(fc.constantFrom(...cases), fc.array(fc.nat(9)), ([format, text, expected], lengths) => {
        expect(read(format, cut(text, lengths))).toEqual(expected);
        const letters = Array.from({ length: text.length }, (_, index) => text.charAt(index));
        expect(read(format, letters)).toEqual(expected);
      }),
    );
  });

  it('are told while they come', () => {
    const parser = new ToolCallParser({ format: 'hermes', tools, newId: () => 'call_a' });
    expect(parser.add('<tool_')).toEqual([]);
    expect(parser.add('call>{"name": "weather", "argu')).toEqual([]);
    expect(parser.add('ments": {"city"')).toEqual([
      { type: 'tool-call', index: 0, id: 'call_a', name: 'weather' },
      { type: 'tool-arguments', index: 0, text: '{"city"' },
    ]);
    expect([parser.calls, parser.completeCalls]).toEqual([1, 0]);
    expect(parser.add(': 1}}')).toEqual([{ type: 'tool-arguments', index: 0, text: ': 1}' }]);
    expect(parser.completeCalls).toBe(1);
  });

  it('have ids that differ', () => {
    const parser = new ToolCallParser({ format: 'hermes', tools });
    const parts = parser.add(call(romeJson) + call(romeJson));
    const ids = parts.flatMap((part) => (part.type === 'tool-call' ? [part.id] : []));
    expect(new Set(ids).size).toBe(2);
    for (const id of ids) expect(id).toMatch(/^call_\w{24,}$/);
  });

  it('never swallow or invent anything where there is no marker', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', ' ', '{', '}', '"', '[', ']', '<', '>', '_') });
    const format = fc.constantFrom<CallFormat>('hermes', 'mistral', 'llama');
    fc.assert(
      fc.property(format, fc.array(letters), (chosen, pieces) => {
        expect(read(chosen, pieces)).toEqual({ text: pieces.join(''), calls: [] });
      }),
    );
  });

  it('survive any garbage between markers', () => {
    const token = fc.constantFrom(
      '<tool_call>',
      '</tool_call>',
      romeJson,
      '[TOOL_CALLS]',
      '[ARGS]',
      'time',
      '{',
      '"',
      '}',
      '\\',
      ';',
      ' ',
      '<function=',
      '<|python_tag|>',
    );
    const format = fc.constantFrom<CallFormat>('hermes', 'mistral', 'llama');
    fc.assert(
      fc.property(format, fc.array(token, { maxLength: 12 }), (chosen, tokens) => {
        expect(read(chosen, tokens)).toEqual(read(chosen, [tokens.join('')]));
      }),
    );
  });
});

describe('the form of calls', () => {
  it.each([
    ["{% if tools %}[TOOL_CALLS]{% endif %}{{ '<tool_call>' }}", 'mistral'],
    ['{% if tools %}<tool_call>{% endif %}', 'hermes'],
    ['{% if tools is not none %}<|python_tag|>{% endif %}', 'llama'],
    ['{% if tools %}{{ \'{"name": "x", "parameters": \' }}{% endif %}', 'llama'],
    ['{% if tools %}<|tool|>{% endif %}', undefined],
    ['{{ messages[0].content }}', undefined],
    ['{{ "<tool_call>" }}', undefined],
  ])('is told by the template %s', (template, expected) => {
    expect(callFormatOf(template)).toBe(expected);
  });
});
