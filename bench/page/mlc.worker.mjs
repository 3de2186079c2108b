import { MLCEngine } from '@mlc-ai/web-llm';
import { expose } from 'comlink';
import { Timing } from './timing.mjs';

const modelId = 'bench';
const engine = new MLCEngine({ logLevel: 'ERROR' });

expose({
  async load(folder, contextSize, cacheBackend) {
    const model = `${folder}/resolve/main/`;
    engine.setAppConfig({
      cacheBackend,
      model_list: [{ model_id: modelId, model, model_lib: `${model}model.wasm` }],
    });
    await engine.reload(modelId, { context_window_size: contextSize });
  },

  async run({ messages, temperature, max_tokens, ignore_eos }) {
    const timing = new Timing();
    const options = { stream: true, stream_options: { include_usage: true } };
    const chunks = await engine.chat.completions.create({
      messages,
      temperature,
      max_tokens,
      ignore_eos,
      ...options,
    });
    for await (const chunk of chunks) timing.mark(chunk);
    return timing.toJSON();
  },
});
