import { beforeEach, describe, expect, it } from 'vitest';
import { AnswerBench, gather, textOf } from '#lib/engine/webllm/testing/answer-bench.ts';

describe('an answer', () => {
  let bench: AnswerBench;

  beforeEach(() => {
    bench = new AnswerBench();
  });

  it('is held by a schema, which is compiled before anything is computed', async () => {
    bench.next(['{}']);
    await bench.ask('A', { response_format: { type: 'json_object' } });
    const held = { type: 'json_object', schema: '{"type":"object"}' };
    expect(bench.pipeline.compiled).toEqual([held]);
    expect(bench.pipeline.asked[0]).toMatchObject({ response_format: held });
    const bad = { type: 'json_schema' as const, json_schema: { schema: { title: 'bad' } } };
    const refused = { code: 'invalid_request', param: 'response_format' };
    await expect(bench.ask('A', { response_format: bad })).rejects.toMatchObject(refused);
    await expect(bench.ask('A', { grammar: 'bad' })).rejects.toMatchObject({ ...refused, param: 'grammar' });
    expect(bench.pipeline.asked).toHaveLength(1);
  });

  it('loses the model when the compiler died of what it refused', async () => {
    bench.pipeline.badGrammar = '';
    const asking = bench.ask('A', { response_format: { type: 'json_object' } });
    await expect(asking).rejects.toMatchObject({ code: 'device_lost' });
  });

  it('is refused when no token at all fits its schema', async () => {
    bench.pipeline.grammarMatcher.getNextTokenBitmask = () => Promise.resolve(new Int32Array(2));
    await expect(bench.ask('A', { response_format: { type: 'json_object' } })).rejects.toMatchObject({
      code: 'invalid_request',
    });
  });

  it('that a schema never lets end is cut off by its limit', async () => {
    bench.next(['[', '['], 'length');
    const events = await bench.ask('A', { response_format: { type: 'json_object' }, max_tokens: 2 });
    expect(bench.pipeline.asked[0]).toMatchObject({ max_tokens: 2 });
    expect(events.at(-1)).toMatchObject({ reason: 'length' });
  });

  it('tells how likely each token of its text was, and of no other', async () => {
    bench.next(['a', 'b', '<', 'c', '</', 'e>']);
    const events = await bench.ask('A', { logprobs: true, top_logprobs: 1 });
    const told = events.flatMap((event) => (event.type === 'text' ? [event] : []));
    expect(told.map(({ text, logprobs }) => [text, logprobs?.map(({ token }) => token)])).toEqual([
      ['a', ['a']],
      ['b', ['b']],
      ['<c', ['<', 'c']],
    ]);
    const a = { token: 'a', bytes: [97], logprob: -0.5 };
    expect(told[0]?.logprobs).toEqual([{ ...a, top: [a] }]);
  });

  it('has numbers for what never happens, and as many alternatives as asked for', async () => {
    bench.next(['a']);
    const two = await bench.ask('A', { logprobs: true, top_logprobs: 2 });
    expect(two.find(({ type }) => type === 'text')).toMatchObject({
      logprobs: [{ top: [{}, { token: 'other', bytes: [], logprob: -9999 }] }],
    });
    bench.next(['a']);
    const none = await bench.ask('A', { logprobs: true });
    expect(none.find(({ type }) => type === 'text')).toMatchObject({ logprobs: [{ top: [] }] });
    bench.next(['a']);
    expect((await bench.ask('A')).find(({ type }) => type === 'text')).not.toHaveProperty('logprobs');
  });

  it('runs over its own stop texts when it is told to', async () => {
    bench.next(['a</e>b', ', 2'], 'length');
    expect(textOf(await bench.ask('A', { ignore_eos: true, stop: ', 2' }))).toBe('a</e>b');
    expect(bench.pipeline.asked[0]).toMatchObject({ ignore_eos: true });
  });

  it('is never given to pictures or sound', async () => {
    const parts = [{ type: 'image_url' as const, image_url: { url: 'data:image/png;base64,AA==' } }];
    const messages = [{ role: 'user' as const, content: parts }];
    const asking = gather(bench.answerer.chat({ model: 'x', messages }, new AbortController().signal));
    await expect(asking).rejects.toMatchObject({ code: 'unsupported_parameter', param: 'messages' });
  });
});
