/** MLC models made up for tests: small enough to read, complete enough to be checked. */

export const chatConfigJson = {
  model_type: 'llama',
  quantization: 'q4f32_1',
  context_window_size: 2048,
  sliding_window_size: -1,
  attention_sink_size: -1,
  tokenizer_files: ['tokenizer.json', 'tokenizer_config.json'],
  temperature: 0.7,
  top_p: 0.9,
  conv_template: {
    system_template: '<s>{system_message}</s>\n',
    system_message: 'Be kind.',
    roles: { user: '<u>', assistant: '<a>', tool: '<t>' },
    role_templates: { user: '{user_message}', assistant: '{assistant_message}', tool: '{tool_message}' },
    role_content_sep: ':',
    role_empty_sep: ':',
    seps: ['</e>\n'],
    stop_str: ['</e>'],
    stop_token_ids: [2],
    system_prefix_token_ids: [1],
  },
};

const shards = { records: [{ dataPath: 'params_shard_0.bin', nbytes: 4 }] };

/** A whole model; `changes` replace files, and take away those that are `undefined`. */
export function mlcFiles(changes: Readonly<Record<string, Blob | undefined>> = {}): Map<string, Blob> {
  const files: Record<string, Blob | undefined> = {
    'mlc-chat-config.json': json(chatConfigJson),
    'tensor-cache.json': json(shards),
    'params_shard_0.bin': new Blob(['1234']),
    'tokenizer.json': new Blob(['{}']),
    'model.wasm': new Blob(['\0asm']),
    ...changes,
  };
  return new Map(Object.entries(files).flatMap(([path, blob]) => (blob ? [[path, blob] as const] : [])));
}

export function json(value: unknown): Blob {
  return new Blob([JSON.stringify(value)]);
}
