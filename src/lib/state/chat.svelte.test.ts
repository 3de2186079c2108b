import { expect, it } from 'vitest';
import { ManualClock } from '#lib/core/clock.ts';
import { Catalog } from './catalog.svelte.ts';
import { Chat } from './chat.svelte.ts';
import {
  IdbConversationStore,
  MemoryConversationStore,
  type ConversationStore,
} from './conversation-store.ts';
import type { Conversation } from './conversation.svelte.ts';
import { LiveFeed } from './feed.svelte.ts';
import { Models } from './models.svelte.ts';
import { ScriptedClient, ScriptedStream, json } from './testing/scripted-client.ts';
import { chunkSample } from './testing/wire-samples.ts';

const model = 'docker.io/ai/smollm2:latest';

function setUp(store: ConversationStore = new MemoryConversationStore()) {
  const streams: ScriptedStream[] = [];
  const client = new ScriptedClient().on('POST /engines/v1/chat/completions', (_request, signal) => {
    const stream = new ScriptedStream(signal);
    streams.push(stream);
    return stream.response;
  });
  const clock = new ManualClock(1_000_000);
  const catalog = new Catalog({ fetch: () => Promise.resolve(json([])), appHost: 'localhost' });
  const models = new Models({
    client,
    catalog,
    feed: new LiveFeed({ client, clock, onLost: () => undefined }),
  });
  const errors: unknown[] = [];
  const frames = { next: (callback: () => void) => queueMicrotask(callback) };
  const onError = (thrown: unknown) => errors.push(thrown);
  const chat = new Chat({ client, clock, models, store, frames, onError });
  return { chat, client, clock, errors, store, streams };
}

function lastAnswer(conversation: Conversation) {
  const last = conversation.messages.at(-1);
  return last?.role === 'assistant' ? last.answer : undefined;
}

it('asks with what was said before and shows the answer as it comes', async () => {
  const { chat, client, streams } = setUp();
  const conversation = chat.draft;
  conversation.configure({ systemPrompt: 'Be brief.', temperature: 0.2, maxTokens: 64 });
  const first = chat.ask(conversation, 'Hello', model);
  await expect.poll(() => streams.length).toBe(1);
  streams[0]?.data(chunkSample({ content: 'Hi' }));
  await expect.poll(() => lastAnswer(conversation)?.text).toBe('Hi');
  expect(chat.isAnswering(conversation)).toBe(true);
  streams[0]?.data(chunkSample({ content: ' there' }));
  streams[0]?.done();
  await first;
  expect(lastAnswer(conversation)?.text).toBe('Hi there');
  expect(lastAnswer(conversation)?.state).toEqual({ status: 'done', finish: 'stop' });

  const second = chat.ask(conversation, 'And now?', model);
  await expect.poll(() => streams.length).toBe(2);
  streams[1]?.done();
  await second;
  expect(client.sent.at(-1)?.body).toMatchObject({
    model,
    stream: true,
    temperature: 0.2,
    max_tokens: 64,
    return_progress: true,
    stream_options: { include_usage: true },
    messages: [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Hello' },
      { role: 'assistant', content: 'Hi there' },
      { role: 'user', content: 'And now?' },
    ],
  });
});

it('measures the first token, the thinking and what the engine reports', async () => {
  const { chat, clock, streams } = setUp();
  const conversation = chat.draft;
  const asked = chat.ask(conversation, 'Think', model);
  await expect.poll(() => streams.length).toBe(1);
  await clock.advance(400);
  streams[0]?.data(chunkSample({ reasoning_content: 'Hmm.' }));
  await expect.poll(() => lastAnswer(conversation)?.thinking).toBe(true);
  await clock.advance(3200);
  streams[0]?.data(chunkSample({ content: 'Done.' }));
  await expect.poll(() => lastAnswer(conversation)?.text).toBe('Done.');
  const timings = {
    cache_n: 0,
    prompt_n: 10,
    prompt_ms: 1,
    prompt_per_second: 1,
    predicted_n: 91,
    predicted_ms: 1,
    predicted_per_second: 28.1,
  };
  streams[0]?.data(chunkSample({}, { timings }));
  streams[0]?.done();
  await asked;
  expect(lastAnswer(conversation)?.reasoning).toBe('Hmm.');
  expect(lastAnswer(conversation)?.stats).toMatchObject({
    firstTokenMs: 400,
    thoughtMs: 3200,
    tokens: 91,
    tokensPerSecond: 28.1,
    withLoading: true,
  });
});

it('keeps what was written when the answer is stopped', async () => {
  const { chat, streams } = setUp();
  const conversation = chat.draft;
  const asked = chat.ask(conversation, 'Hello', model);
  await expect.poll(() => streams.length).toBe(1);
  streams[0]?.data(chunkSample({ content: 'Half' }));
  await expect.poll(() => lastAnswer(conversation)?.text).toBe('Half');
  chat.stop(conversation);
  await asked;
  expect(lastAnswer(conversation)?.state.status).toBe('stopped');
  expect(lastAnswer(conversation)?.text).toBe('Half');
  expect(chat.isAnswering(conversation)).toBe(false);
});

it('keeps the text and says why when the stream reports an error', async () => {
  const { chat, streams } = setUp();
  const conversation = chat.draft;
  const asked = chat.ask(conversation, 'Hello', model);
  await expect.poll(() => streams.length).toBe(1);
  streams[0]?.data(chunkSample({ content: 'Half' }));
  streams[0]?.data({
    error: { message: 'The GPU was reset.', type: 'server_error', param: null, code: 'device_lost' },
  });
  streams[0]?.end();
  await asked;
  expect(lastAnswer(conversation)?.text).toBe('Half');
  expect(lastAnswer(conversation)?.state).toEqual({
    status: 'failed',
    code: 'device_lost',
    message: 'The GPU was reset.',
  });
});

it('takes a stream that ends without [DONE] for a lost host', async () => {
  const { chat, streams } = setUp();
  const conversation = chat.draft;
  const asked = chat.ask(conversation, 'Hello', model);
  await expect.poll(() => streams.length).toBe(1);
  streams[0]?.end();
  await asked;
  expect(lastAnswer(conversation)?.state).toMatchObject({ status: 'failed', code: 'host_lost' });
});

it('regenerates as another version and overwrites nothing', async () => {
  const { chat, streams } = setUp();
  const conversation = chat.draft;
  for (const [index, text] of ['First', 'Second'].entries()) {
    const run = index === 0 ? chat.ask(conversation, 'Hello', model) : chat.regenerate(conversation, model);
    await expect.poll(() => streams.length).toBe(index + 1);
    streams[index]?.data(chunkSample({ content: text }));
    streams[index]?.done();
    await run;
  }
  const [, message] = conversation.messages;
  if (message?.role !== 'assistant') throw new Error('The second message is the answer.');
  expect(message.count).toBe(2);
  expect(message.answer?.text).toBe('Second');
  message.show(0);
  expect(message.answer?.text).toBe('First');
});

it('is there again after a reload, an unfinished answer marked as stopped', async () => {
  const name = `sampan-test-${crypto.randomUUID()}`;
  const { chat, clock, streams } = setUp(new IdbConversationStore(name));
  const conversation = chat.draft;
  void chat.ask(conversation, 'What is a sampan, and who would sail one along a river at night?', model);
  await expect.poll(() => streams.length).toBe(1);
  streams[0]?.data(chunkSample({ content: 'A boat' }));
  await expect.poll(() => lastAnswer(conversation)?.text).toBe('A boat');
  await clock.advance(500);

  const later = new IdbConversationStore(name);
  await expect.poll(async () => JSON.stringify(await later.list())).toContain('A boat');
  const { chat: reopened } = setUp(later);
  await reopened.load();
  const found = reopened.find(conversation.id);
  expect(found?.title).toBe('What is a sampan, and who would sail one along a river at n…');
  expect(found && lastAnswer(found)?.text).toBe('A boat');
  expect(found && lastAnswer(found)?.state.status).toBe('stopped');
  indexedDB.deleteDatabase(name);
});

it('removes a conversation for good, also while it is being answered', async () => {
  const { chat, store, streams } = setUp();
  const conversation = chat.draft;
  void chat.ask(conversation, 'Hello', model);
  await expect.poll(() => streams.length).toBe(1);
  await chat.remove(conversation);
  expect(chat.list).toHaveLength(0);
  expect(await store.list()).toHaveLength(0);
});

it('takes over what another tab wrote', async () => {
  const store = new MemoryConversationStore();
  const { chat: here } = setUp(store);
  const { chat: there, streams } = setUp(store);
  const asked = there.ask(there.draft, 'Hello', model);
  await expect.poll(() => streams.length).toBe(1);
  streams[0]?.data(chunkSample({ content: 'Hi' }));
  streams[0]?.done();
  await asked;
  await here.load();
  expect(here.list.map(({ title }) => title)).toEqual(['Hello']);
});
