import { ApiError } from '#lib/core/errors.ts';
import { describeEngine } from '#tests/contract/engine.ts';
import { ScriptedEngine } from './scripted.ts';

describeEngine('scripted', () => {
  const model = { kind: 'gguf', id: `sha256:${'0'.repeat(64)}`, weights: [new Blob(['GGUF'])] } as const;
  const garbage = { kind: 'gguf', id: `sha256:${'1'.repeat(64)}`, weights: [new Blob(['nope'])] } as const;
  const engine = new ScriptedEngine({
    reply: (prompt) => (prompt === 'Say four.' ? ['four'] : ['one', ' two', ' three']),
    calls: () => [{ name: 'get_weather', arguments: '{"city":"Paris"}' }],
    onLoad: async (loadable) => {
      if (loadable.kind !== 'gguf' || (await loadable.weights[0]?.text()) !== 'GGUF')
        throw new ApiError('unsupported_model_format', 'Not a model.');
    },
  });
  const stop = { text: ' two th', before: 'one' };
  const parameters = { type: 'object', properties: { city: { type: 'string' } } };
  return Promise.resolve({
    engine,
    model,
    garbage,
    longPrompt: 'Count to 3.',
    stop,
    contextSize: 64,
    completion: { prompt: 'Once', stop },
    can: ['logprobs', 'completion-logprobs', 'schema'],
    tools: {
      messages: [{ role: 'user', content: 'Weather?' }],
      tools: [{ type: 'function', function: { name: 'get_weather', parameters } }],
    },
    parallel: ['Count to 3.', 'Say four.'],
    embedding: { model, texts: ['A cat', 'Another animal altogether'] },
    ranking: { model, query: 'big cat', documents: ['a dog', 'a big cat', 'a cat'], best: 1 },
  });
});
