import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { chatBody } from '#lib/openai/chat.ts';
import { bytesOf, makeBench, type Bench } from '#tests/support/runner-bench.ts';
import * as gate from './answers/gate.ts';
import * as models from './answers/models.ts';
import * as openai from './answers/openai.ts';
import * as records from './answers/records.ts';
import * as runner from './answers/runner.ts';
import { errorBody } from './answers/common.ts';
import { requestRecord } from '#lib/runner/recorder/parse.ts';
import { describeApi } from './document.ts';
import type { Schema } from './operation.ts';

const model = 'localhost:5000/ai/tiny:latest';
const messages = [{ role: 'user', content: 'Hello!' }];
const tools = [{ type: 'function', function: { name: 'look', parameters: { type: 'object' } } }];

async function furnished(): Promise<Bench> {
  const bench = makeBench({ calls: () => [{ name: 'look', arguments: '{}' }] });
  await bench.registry.publish(model, [bytesOf('GGUF')]);
  await (await bench.call('/models/create', { from: model })).text();
  await (await bench.call('/v1/chat/completions', { model, messages })).text();
  return bench;
}

/** A schema drops what it does not know: what is left is the answer, or something is not documented. */
function expectDocumented(schema: Schema, answer: unknown, on: string): void {
  expect(v.parse(schema, answer), on).toEqual(answer);
}

describe('what is documented is what is answered', () => {
  const answers: readonly (readonly [path: string, schema: Schema, body?: unknown])[] = [
    ['/models', v.array(models.model)],
    [`/models/${model}`, models.inspectedModel],
    [`/models/${model}?remote=true`, models.inspectedModel],
    ['/v1/models', openai.openAiModels],
    ['/v1/chat/completions', openai.chatCompletion, { model, messages, logprobs: true, top_logprobs: 1 }],
    ['/v1/chat/completions', openai.chatCompletion, { model, messages, tools }],
    ['/v1/completions', openai.textCompletion, { model, prompt: 'a', logprobs: 1 }],
    ['/v1/embeddings', openai.embeddings, { model, input: ['a'] }],
    ['/v1/embeddings', openai.embeddings, { model, input: 'a', encoding_format: 'base64' }],
    ['/engines/status', runner.engineStatus],
    ['/engines/ps', runner.runners],
    ['/engines/df', runner.diskUsage],
    ['/engines/unload', runner.unloaded, { all: true }],
    ['/engines/_configure', v.array(models.configured)],
    ['/engines/requests', v.array(records.engineRequests)],
    ['/version', runner.version],
    ['/_sampan/models', models.localModels],
    [`/_sampan/models/${model}`, models.modelDetail],
    ['/_sampan/status', runner.status],
    ['/_sampan/pulls', runner.pulls],
    ['/_sampan/settings', runner.settings],
    ['/_sampan/requests', records.requestPage],
    ['/_sampan/requests/settings', records.requestSettings],
    ['/_sampan/bench', runner.benchHistory],
    ['/_sampan/gate', gate.gateHistory],
    ['/_sampan/prune', models.pruned, {}],
    ['/v1/chat/completions', errorBody, { model: 'ai/missing', messages }],
  ];

  it('in JSON', async () => {
    const bench = await furnished();
    await (
      await bench.call('/engines/_configure', { model, 'context-size': 32, 'runtime-flags': ['-t', '2'] })
    ).text();
    for (const [path, schema, body] of answers) {
      expectDocumented(schema, await (await bench.call(path, body)).json(), path);
    }
  });

  it('in the chunks of a stream', async () => {
    const bench = await furnished();
    const body = {
      model,
      messages,
      stream: true,
      stream_options: { include_usage: true },
      return_progress: true,
    };
    const text = await (await bench.call('/v1/chat/completions', body)).text();
    const events = text.split('\n\n').filter((event) => event.startsWith('data: {'));
    expect(events.length).toBeGreaterThan(2);
    for (const event of events) {
      expectDocumented(openai.chatChunk, JSON.parse(event.slice('data: '.length)), event);
    }
  });

  it('in lines of progress and of the log, and in records', async () => {
    const bench = await furnished();
    const accept = (type: string) => ({ headers: { accept: type } });
    const pulled = await bench.call('/models/create', { from: model }, accept('application/json'));
    const log = await bench.call('/logs', undefined, accept('application/x-ndjson'));
    for (const [response, schema] of [
      [pulled, models.progress],
      [log, records.logLine],
    ] as const) {
      for (const line of (await response.text()).trim().split('\n')) {
        expectDocumented(schema, JSON.parse(line), line);
      }
    }
    const page = (await (await bench.call('/_sampan/requests')).json()) as { requests: { id: string }[] };
    const record = await bench.call(`/_sampan/requests/${page.requests[0]?.id ?? ''}`);
    expectDocumented(requestRecord, await record.json(), 'a record');
  });
});

describe('an example', () => {
  const { paths } = describeApi([{ method: 'POST', pattern: '/engines/v1/chat/completions' }], {
    version: '1',
    origin: 'http://localhost',
    model,
  });

  it('is a body that is taken', () => {
    const { post } = paths['/engines/v1/chat/completions'] ?? {};
    expect(v.is(chatBody, post?.requestBody?.content['application/json']?.example)).toBe(true);
  });
});
