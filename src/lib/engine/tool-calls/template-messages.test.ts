import { describe, expect, it } from 'vitest';
import type { ChatMessage } from '#lib/openai/chat.ts';
import { templateToolFields, templateTools } from './template-messages.ts';

const call = (id: string, text: string): ChatMessage => ({
  role: 'assistant',
  tool_calls: [{ id, type: 'function', function: { name: 'time', arguments: text } }],
});

describe('tool fields for a template', () => {
  it('have arguments as objects, and as text where they are none', () => {
    const [given, none, broken] = ['{"a": [1]}', ' ', '{"a"'].map((text) =>
      templateToolFields(call('call_1', text), 'hermes'),
    );
    expect(given).toMatchObject({ tool_calls: [{ id: 'call_1', function: { arguments: { a: [1] } } }] });
    expect(none).toMatchObject({ tool_calls: [{ function: { arguments: {} } }] });
    expect(broken).toMatchObject({ tool_calls: [{ function: { arguments: '{"a"' } }] });
  });

  it('are absent where a message has none', () => {
    expect(templateToolFields({ role: 'user', content: 'Hi', tool_calls: [] }, 'hermes')).toEqual({});
  });

  it.each(['call_abcdefghijkl', 'x', '', 'call_0'])('have ids of nine for Mistral: %j', (id) => {
    const made = templateToolFields({ role: 'tool', content: '', tool_call_id: `call_${id}` }, 'mistral');
    expect(made).toEqual({ tool_call_id: expect.stringMatching(/^[a-z0-9]{9}$/i) });
  });

  it('say of a tool what templates read without asking', () => {
    expect(templateTools([{ type: 'function', function: { name: 'time', strict: true } }])).toEqual([
      {
        type: 'function',
        function: { name: 'time', description: '', parameters: { type: 'object', properties: {} } },
      },
    ]);
  });
});
