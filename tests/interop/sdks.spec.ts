/** Two frameworks that many programs are built on, as they come from their packages, on the tab's model. */
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { HumanMessage } from '@langchain/core/messages';
import { ChatOpenAI, OpenAIEmbeddings } from '@langchain/openai';
import { APICallError, embedMany, generateText, jsonSchema, Output, streamText, type ToolSet } from 'ai';
import { expect, isBusy, test, type HostTab } from '#tests/support/host-tab.ts';

const city = {
  type: 'object' as const,
  properties: { city: { type: 'string' as const, enum: ['Paris'] } },
  required: ['city'],
  additionalProperties: false,
};
const counted = '1, 2, 3, 4, 5';
const story = 'Tell me a story.';

test.describe('the AI SDK', () => {
  const connect = ({ url }: HostTab) =>
    createOpenAICompatible({
      name: 'sampan',
      baseURL: `${url}/engines/v1`,
      includeUsage: true,
      supportsStructuredOutputs: true,
    });
  const asked = (host: HostTab, prompt: string) => ({
    model: connect(host)(host.model),
    prompt,
    temperature: 0,
    maxRetries: 0,
  });

  test('writes a text, at once and streamed, with its usage', async ({ host }) => {
    const whole = await generateText(asked(host, 'Count to 5.'));
    expect([whole.text, whole.finishReason]).toEqual([counted, 'stop']);
    const stream = streamText(asked(host, 'Count to 5.'));
    const pieces = await gathered(stream.textStream);
    expect(pieces.length).toBeGreaterThan(1);
    expect(pieces.join('')).toBe(counted);
    expect((await stream.usage).outputTokens).toBe(whole.usage.outputTokens);
    expect(whole.usage.inputTokens).toBeGreaterThan(0);
  });

  test('calls a tool, and answers in a schema', async ({ host }) => {
    const tools: ToolSet = { get_weather: { description: 'The weather.', inputSchema: jsonSchema(city) } };
    const called = await generateText({
      ...asked(host, 'What is the weather in Paris?'),
      tools,
      toolChoice: 'required',
    });
    expect(called.toolCalls).toMatchObject([{ toolName: 'get_weather', input: { city: 'Paris' } }]);
    expect(called.finishReason).toBe('tool-calls');
    const output = Output.object({ schema: jsonSchema<{ city: string }>(city) });
    expect((await generateText({ ...asked(host, 'Hello!'), output })).output).toEqual({ city: 'Paris' });
  });

  test('embeds', async ({ host }) => {
    const model = connect(host).embeddingModel(host.model);
    const { embeddings } = await embedMany({ model, values: ['a boat', 'a river'], maxRetries: 0 });
    expect(embeddings).toHaveLength(2);
    expect(Math.hypot(...(embeddings[0] ?? []))).toBeCloseTo(1, 4);
  });

  test('leaves in mid-stream, and the tab’s engine stops', async ({ host }) => {
    const leaving = new AbortController();
    const stream = streamText({
      ...asked(host, story),
      providerOptions: { sampan: { ignore_eos: true, max_tokens: 100_000 } },
      abortSignal: leaving.signal,
    });
    for await (const _ of stream.textStream) {
      leaving.abort();
      break;
    }
    await expect.poll(() => isBusy(host), { timeout: 2000, intervals: [50] }).toBe(false);
  });

  test('gets its own class of error, with the message for people', async ({ host }) => {
    const failure = await generateText({
      ...asked(host, 'Hello!'),
      model: connect(host)('ai/missing'),
    }).catch((thrown: unknown) => thrown);
    expect(APICallError.isInstance(failure)).toBe(true);
    expect(failure).toMatchObject({
      statusCode: 404,
      isRetryable: false,
      message: expect.stringContaining('ai/missing'),
    });
  });
});

test.describe('LangChain', () => {
  const connect = ({ url, model }: HostTab, fields: { model?: string; maxTokens?: number } = {}) =>
    new ChatOpenAI({
      model,
      apiKey: 'none',
      temperature: 0,
      maxRetries: 0,
      // Else it asks OpenAI alone for the usage of a stream.
      streamUsage: true,
      configuration: { baseURL: `${url}/engines/v1` },
      ...fields,
    });

  test('chats, at once and streamed, with its usage', async ({ host }) => {
    const chat = connect(host);
    const whole = await chat.invoke([new HumanMessage('Count to 5.')]);
    expect(whole.content).toBe(counted);
    const chunks = await gathered(await chat.stream('Count to 5.'));
    expect(chunks.map(({ text }) => text).join('')).toBe(counted);
    const tokens = { output_tokens: expect.any(Number), total_tokens: expect.any(Number) };
    const usage = { usage_metadata: expect.objectContaining(tokens) };
    expect(whole).toMatchObject(usage);
    expect(chunks).toContainEqual(expect.objectContaining(usage));
  });

  test('calls a tool, and answers in a schema', async ({ host }) => {
    const weather = {
      type: 'function' as const,
      function: { name: 'get_weather', description: 'The weather.', parameters: city },
    };
    const bound = connect(host).bindTools([weather], { tool_choice: 'required' });
    const { tool_calls: calls } = await bound.invoke('What is the weather in Paris?');
    expect(calls).toMatchObject([{ name: 'get_weather', args: { city: 'Paris' } }]);
    const held = connect(host).withStructuredOutput<{ city: string }>(city, {
      name: 'city',
      method: 'jsonSchema',
    });
    expect(await held.invoke('Hello!')).toEqual({ city: 'Paris' });
  });

  test('embeds', async ({ host }) => {
    const embeddings = new OpenAIEmbeddings({
      model: host.model,
      apiKey: 'none',
      maxRetries: 0,
      configuration: { baseURL: `${host.url}/engines/v1` },
    });
    const vectors = await embeddings.embedDocuments(['a boat', 'a river']);
    expect(vectors).toHaveLength(2);
    expect(Math.hypot(...(vectors[0] ?? []))).toBeCloseTo(1, 4);
  });

  test('leaves in mid-stream, and the tab’s engine stops', async ({ host }) => {
    const leaving = new AbortController();
    const stream = await connect(host, { maxTokens: 100_000 }).stream(story, { signal: leaving.signal });
    const failure = gathered(stream, () => leaving.abort()).catch((thrown: unknown) => thrown);
    expect(await failure).toBeInstanceOf(Error);
    await expect.poll(() => isBusy(host), { timeout: 2000, intervals: [50] }).toBe(false);
  });

  test('gets the status and the code of a failure', async ({ host }) => {
    const failure = await connect(host, { model: 'ai/missing' })
      .invoke('Hello!')
      .catch((thrown: unknown) => thrown);
    expect(failure).toMatchObject({ status: 404, code: 'model_not_found' });
  });
});

async function gathered<Item>(
  items: AsyncIterable<Item>,
  onFirst: () => void = () => undefined,
): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) if (all.push(item) === 1) onFirst();
  return all;
}
