/** OpenAI's own client reads the answers: what its types promise must be there. */
import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import {
  makeGenerationBench,
  modelName as model,
  type GenerationBenchOptions,
} from './testing/generation-bench.ts';

async function client(options: GenerationBenchOptions = {}): Promise<OpenAI> {
  const bench = await makeGenerationBench(options);
  return new OpenAI({
    baseURL: 'http://localhost/engines/v1',
    apiKey: 'none',
    maxRetries: 0,
    fetch: async (url, init) => {
      const { pathname } = new URL(url instanceof Request ? url.url : url);
      return bench.call(pathname, undefined, { body: init?.body ?? null, signal: init?.signal ?? null });
    },
  });
}

const messages = [{ role: 'user' as const, content: 'What time is it?' }];
const tools = [
  {
    type: 'function' as const,
    function: {
      name: 'get_time',
      parameters: { type: 'object', properties: { zone: { const: 'UTC' } }, required: ['zone'] },
    },
  },
];

describe('the OpenAI client', () => {
  it('gathers a streamed call that was forced', async () => {
    const stream = (await client({ can: { tools: false } })).chat.completions.stream({
      model,
      messages,
      tools,
      tool_choice: 'required',
    });
    const { choices } = await stream.finalChatCompletion();
    expect(choices).toMatchObject([
      {
        finish_reason: 'tool_calls',
        message: {
          tool_calls: [{ type: 'function', function: { name: 'get_time', arguments: '{"zone":"UTC"}' } }],
        },
      },
    ]);
  });

  it('runs a tool and sends its result', async () => {
    const calls = ({ messages: said }: { messages: readonly { role: string }[] }) =>
      said.some(({ role }) => role === 'tool') ? [] : [{ name: 'get_time', arguments: '{"zone":"UTC"}' }];
    const runner = (await client({ calls, reply: () => ['Nine', '.'] })).chat.completions.runTools({
      model,
      messages,
      tools: [
        {
          type: 'function',
          function: {
            name: 'get_time',
            function: (given: { zone: string }) => `09:00 ${given.zone}`,
            parse: (text: string) => JSON.parse(text) as { zone: string },
            description: 'The time',
            parameters: { type: 'object', properties: {} },
          },
        },
      ],
    });
    expect(await runner.finalContent()).toBe('Nine.');
    expect(runner.messages).toMatchObject([
      {},
      { tool_calls: [{}] },
      { role: 'tool', content: '09:00 UTC' },
      {},
    ]);
  });

  it('parses an answer that is held by a schema', async () => {
    const completion = await (
      await client()
    ).chat.completions.parse({
      model,
      messages,
      response_format: {
        type: 'json_schema',
        json_schema: {
          name: 'time',
          strict: true,
          schema: { type: 'object', properties: { hour: { type: 'integer' } }, required: ['hour'] },
        },
      },
    });
    expect(completion.choices[0]?.message.content).toBe('{"hour":0}');
  });

  it('streams several answers with usage and probabilities', async () => {
    const stream = await (
      await client()
    ).chat.completions.create({
      model,
      messages,
      n: 2,
      logprobs: true,
      top_logprobs: 1,
      stream: true,
      stream_options: { include_usage: true },
    });
    const said = ['', ''];
    let [tokens, odds] = [0, 0];
    for await (const { choices, usage } of stream) {
      for (const { index, delta, logprobs } of choices) {
        said[index] = (said[index] ?? '') + (delta.content ?? '');
        odds += logprobs?.content?.length ?? 0;
      }
      tokens = usage?.completion_tokens ?? tokens;
    }
    expect([said, tokens, odds]).toEqual([['Hello there.', 'Hello there.'], 4, 4]);
  });

  it('reads embeddings, which it asks for as base64 unless told otherwise', async () => {
    const [packed, plain] = await Promise.all(
      [{}, { encoding_format: 'float' as const }].map(async (fields) =>
        (await client()).embeddings.create({ model, input: ['a', 'b'], ...fields }),
      ),
    );
    expect(packed?.data[1]?.embedding).toHaveLength(8);
    expect(packed?.data.map(({ embedding }) => embedding)).toEqual(
      plain?.data.map(({ embedding }) => embedding),
    );
  });

  it('completes text and tells probabilities in the lists of old', async () => {
    const { choices } = await (
      await client()
    ).completions.create({ model, prompt: ['a', 'b'], logprobs: 1, echo: false });
    expect(choices.map(({ text }) => text)).toEqual(['Hello there.', 'Hello there.']);
    expect(choices[0]?.logprobs).toMatchObject({ tokens: ['Hello', ' there.'], text_offset: [0, 5] });
  });

  it('throws its own errors with our codes', async () => {
    const asked = (await client()).chat.completions.create({ model, messages, temperature: 9 });
    await expect(asked).rejects.toBeInstanceOf(OpenAI.BadRequestError);
    await expect(asked).rejects.toMatchObject({ status: 400, code: 'invalid_request', param: 'temperature' });
    const missing = (await client()).chat.completions.create({ model: 'ai/missing', messages });
    await expect(missing).rejects.toBeInstanceOf(OpenAI.NotFoundError);
  });
});
