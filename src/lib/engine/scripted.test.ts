import { ApiError } from '#lib/core/errors.ts';
import { describeEngine } from '#tests/contract/engine.ts';
import { ScriptedEngine } from './scripted.ts';

describeEngine('scripted', () => {
  const model = { kind: 'gguf', id: `sha256:${'0'.repeat(64)}`, weights: [new Blob(['GGUF'])] } as const;
  const garbage = { kind: 'gguf', id: `sha256:${'1'.repeat(64)}`, weights: [new Blob(['nope'])] } as const;
  const engine = new ScriptedEngine({
    reply: () => ['one', ' two', ' three'],
    onLoad: async (loadable) => {
      if (loadable.kind !== 'gguf' || (await loadable.weights[0]?.text()) !== 'GGUF')
        throw new ApiError('unsupported_model_format', 'Not a model.');
    },
  });
  const stop = { text: ' two th', before: 'one' };
  return Promise.resolve({ engine, model, garbage, longPrompt: 'Count to 3.', stop, contextSize: 64 });
});
