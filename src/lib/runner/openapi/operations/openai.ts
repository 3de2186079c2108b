/** OpenAI's endpoints, and llama-server's besides: what asks a model. */
import { chatBody } from '#lib/openai/chat.ts';
import { completionBody } from '#lib/openai/completion.ts';
import { embeddingsBody } from '#lib/openai/embeddings.ts';
import { rerankBody } from '#lib/openai/rerank.ts';
import { detokenizeBody, tokenizeBody } from '#lib/runner/endpoints/tokenize.ts';
import {
  chatChunk,
  chatCompletion,
  detokenized,
  embeddings,
  openAiModel,
  openAiModels,
  ranking,
  textCompletion,
  tokenized,
} from '#lib/runner/openapi/answers/openai.ts';
import {
  events,
  json,
  text,
  value,
  type OperationGroup,
  type Parameter,
} from '#lib/runner/openapi/operation.ts';
import { asksModel, findsModel } from './refusals.ts';

const onModel: readonly Parameter[] = [
  text('X-Sampan-Record', '`off` keeps the request out of the records.'),
];

/** Docker Model Runner ranks outside of `/v1`, everybody else inside. */
const rankingPaths = ['/engines/v1', '/engines', '/engines/llama.cpp', '/engines/webllm', ''].flatMap(
  (base) => [`${base}/rerank`, `${base}/score`],
);

export const openAi: OperationGroup = {
  tag: 'OpenAI',
  description:
    'Also under `/v1`, `/engines/llama.cpp/v1` and `/engines/webllm/v1`. The model is loaded when it is asked. A field that would change the answer and cannot be honoured is refused by name; any other that is not read is named in a `Warning` header. With the header `X-Preload-Only: true` the model is loaded and nothing else is done: the answer is an empty 200.',
  operations: [
    {
      on: 'GET /engines/v1/models',
      id: 'listOpenAiModels',
      summary: 'Lists the stored models for OpenAI clients',
      answer: { status: 200, description: 'Every model under its oldest name.', media: value(openAiModels) },
    },
    {
      on: 'GET /engines/v1/models/{ref}',
      id: 'getOpenAiModel',
      summary: 'One stored model for OpenAI clients',
      answer: { status: 200, description: 'The model.', media: value(openAiModel) },
      errors: findsModel,
    },
    {
      on: 'POST /engines/v1/chat/completions',
      id: 'createChatCompletion',
      summary: 'Answers a conversation',
      description:
        'With `"stream": true` the answer comes as chunks; the last event is `[DONE]`. A failure after the first byte is an event with an `error`, and the stream ends without `[DONE]`.',
      headers: onModel,
      body: json(chatBody, (model) => ({
        model,
        messages: [{ role: 'user', content: 'Say hello in three languages.' }],
        stream: true,
      })),
      answer: {
        status: 200,
        description: 'The whole answer, or its chunks as they come.',
        media: { ...value(chatCompletion), ...events({ message: chatChunk }) },
      },
      errors: asksModel,
    },
    {
      on: 'POST /engines/v1/completions',
      id: 'createCompletion',
      summary: 'Continues a text',
      headers: onModel,
      body: json(completionBody, (model) => ({ model, prompt: 'Once upon a time', max_tokens: 32 })),
      answer: {
        status: 200,
        description: 'The whole text, or its chunks as they come.',
        media: { ...value(textCompletion), ...events({ message: textCompletion }) },
      },
      errors: asksModel,
    },
    {
      on: 'POST /engines/v1/embeddings',
      id: 'createEmbeddings',
      summary: 'Turns texts into vectors',
      headers: onModel,
      body: json(embeddingsBody, (model) => ({ model, input: ['a boat', 'a river'] })),
      answer: { status: 200, description: 'One vector an input.', media: value(embeddings) },
      errors: asksModel,
    },
    {
      on: 'POST /engines/v1/rerank',
      id: 'rerank',
      summary: 'Orders documents by what they have to do with a query',
      description: '`texts` is taken for `documents`.',
      headers: onModel,
      body: json(rerankBody, (model) => ({ model, query: 'boats', documents: ['a sampan', 'a train'] })),
      answer: { status: 200, description: 'The documents by index, best first.', media: value(ranking) },
      errors: asksModel,
      also: rankingPaths.filter((path) => path !== '/engines/v1/rerank'),
    },
    {
      on: 'POST /engines/v1/tokenize',
      id: 'tokenize',
      summary: 'Cuts a text into the tokens of a model',
      description: 'Exact, and nothing is loaded for it.',
      body: json(tokenizeBody, (model) => ({ model, content: 'Hello!' })),
      answer: { status: 200, description: 'Token ids.', media: value(tokenized) },
      errors: [...findsModel, 'unsupported_model_format', 'not_supported', 'digest_mismatch'],
      also: ['/tokenize'],
    },
    {
      on: 'POST /engines/v1/detokenize',
      id: 'detokenize',
      summary: 'Makes a text of the tokens of a model',
      body: json(detokenizeBody, (model) => ({ model, tokens: [1, 2, 3] })),
      answer: { status: 200, description: 'The text.', media: value(detokenized) },
      errors: [...findsModel, 'unsupported_model_format', 'not_supported', 'digest_mismatch'],
      also: ['/detokenize'],
    },
  ],
};
