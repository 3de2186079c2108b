import { expect, it } from 'vitest';
import { parseStored } from './stored.ts';

const conversation = {
  id: 'c1',
  title: 'Hello',
  model: 'docker.io/ai/smollm2:latest',
  updatedMs: 1,
  settings: { systemPrompt: '' },
  messages: [{ role: 'user', id: 'm1', text: 'Hello' }],
};

it('reads back what was written', () => {
  expect(parseStored(conversation)).toEqual(conversation);
});

it.each([
  ['nothing', undefined],
  ['a missing field', { ...conversation, messages: undefined }],
  [
    'an answer without a version',
    { ...conversation, messages: [{ role: 'assistant', id: 'm2', versions: [], shown: 0 }] },
  ],
])('leaves out %s', (_name, value) => {
  expect(parseStored(value)).toBeUndefined();
});
