import { describe, expect, it } from 'vitest';
import { messageText, type ChatMessage, type Tool } from '#lib/openai/chat.ts';
import { withoutToolFields } from './generic-form.ts';
import { ToolCallParser } from './parser.ts';

const tools: Tool[] = [{ type: 'function', function: { name: 'time', description: 'Tells the time.' } }];
const user: ChatMessage = { role: 'user', content: 'When is it?' };
const called: ChatMessage = {
  role: 'assistant',
  content: 'Let me see.',
  tool_calls: [
    { id: 'call_1', type: 'function', function: { name: 'time', arguments: '{"zone": "UTC"}' } },
    { id: 'call_2', type: 'function', function: { name: 'time', arguments: '' } },
  ],
};

describe('a conversation without tool fields', () => {
  it('is itself when it has none', () => {
    expect(withoutToolFields([user], [])).toEqual([user]);
  });

  it('begins with what the tools are', () => {
    const [system, ...rest] = withoutToolFields([user], tools);
    expect(system).toMatchObject({ role: 'system', content: expect.stringContaining('"Tells the time."') });
    expect(rest).toEqual([user]);
  });

  it('keeps a system message in front of them', () => {
    const [system] = withoutToolFields([{ role: 'developer', content: 'Be kind.' }, user], tools);
    expect(system).toMatchObject({
      role: 'developer',
      content: expect.stringMatching(/^Be kind\.\n\nYou can/),
    });
  });

  it('has calls as a model would write them, and their results as said by the user', () => {
    const answer: ChatMessage = { role: 'tool', content: 'Noon', tool_call_id: 'call_1' };
    const [assistant, result] = withoutToolFields([called, answer], []);
    expect(result).toEqual({ role: 'user', content: '<tool_response>\nNoon\n</tool_response>' });
    expect(assistant).not.toHaveProperty('tool_calls');
    const parser = new ToolCallParser({ format: 'hermes', tools });
    const parts = parser.add(assistant ? messageText(assistant) : '');
    expect(parts.flatMap((part) => (part.type === 'tool-arguments' ? [part.text] : []))).toEqual([
      '{"zone": "UTC"}',
      '{}',
    ]);
  });
});
