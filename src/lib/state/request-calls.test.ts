import { execFileSync } from 'node:child_process';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { asCurl, asJavaScript, asPython } from './request-calls.ts';

const origin = 'http://localhost:12434';

function sent(body: unknown, path = '/v1/chat/completions') {
  return {
    method: 'POST',
    path,
    request_body: { text: typeof body === 'string' ? body : JSON.stringify(body) },
  };
}

/** What a shell makes of the words of a command. */
function wordsOf(command: string): readonly string[] {
  const printed = execFileSync('sh', ['-c', command.replace(/^curl/, String.raw`printf '%s\0'`)]);
  return printed.toString().split('\0').slice(0, -1);
}

/** Runs the snippet with a `fetch` that tells what it was called with. */
async function callOf(script: string): Promise<{ url: string; init: RequestInit }> {
  let call: { url: string; init: RequestInit } | undefined;
  const fetch = (url: string, init: RequestInit) => {
    call = { url, init };
    return Promise.resolve(new Response('{}'));
  };
  await runInNewContext(`(async () => {${script}})()`, { fetch, console: { log: () => undefined } });
  if (!call) throw new Error('nothing was fetched');
  return call;
}

const nasty = `it's "quoted" \\ $HOME \`id\` $(id) %s \n\r\t\u0000\u2028\u2029 \u202eabc</script> 中文 😀 \ud800 '''`;

it('survives a shell, whatever stands in the body', () => {
  const body = JSON.stringify({ messages: [{ role: 'user', content: nasty }] });
  expect(wordsOf(asCurl(sent(body), origin))).toEqual([
    `${origin}/v1/chat/completions`,
    '-H',
    'content-type: application/json',
    '--data-raw',
    body,
  ]);
  expect(wordsOf(asCurl(sent(`not json '; rm -rf "$HOME"`), origin)).at(-1)).toBe(
    `not json '; rm -rf "$HOME"`,
  );
});

it('is JavaScript that sends the same body', async () => {
  const body = { messages: [{ role: 'user', content: nasty }] };
  const { url, init } = await callOf(asJavaScript(sent({ ...body, stream: false }), origin));
  expect(url).toBe(`${origin}/v1/chat/completions`);
  expect(JSON.parse(init.body as string)).toEqual({ ...body, stream: false });
  expect(asJavaScript(sent({ ...body, stream: true }), origin)).toContain('TextDecoderStream');
  const broken = await callOf(asJavaScript(sent(`{"a": '\u2028`), origin));
  expect(broken.init.body).toBe(`{"a": '\u2028`);
});

it('is JavaScript for a body with a key that means something else in JavaScript', async () => {
  const text = '{"a":[{"__proto__":{"b":1}},"\\"__proto__\\": 1"]}';
  const { init } = await callOf(asJavaScript(sent(text), origin));
  expect(init.body).toBe(text);
});

it('is JavaScript for any JSON', async () => {
  await fc.assert(
    fc.asyncProperty(fc.jsonValue(), async (body) => {
      const { init } = await callOf(asJavaScript(sent({ body }), origin));
      expect(JSON.parse(init.body as string)).toEqual(JSON.parse(JSON.stringify({ body })));
    }),
    { numRuns: 50 },
  );
});

it('is Python of the openai package, with what that does not know in extra_body', () => {
  const body = {
    model: 'ai/smollm2',
    messages: [{ role: 'user', content: `say "hi"\nit's` }],
    stream: true,
    top_k: 40,
    seed: null,
  };
  expect(asPython(sent(body, '/engines/v1/chat/completions'), origin)).toBe(`from openai import OpenAI

client = OpenAI(base_url="http://localhost:12434/engines/v1", api_key="not-needed")
answer = client.chat.completions.create(
    model="ai/smollm2",
    messages=[
        {
            "role": "user",
            "content": "say \\"hi\\"\\nit's",
        },
    ],
    stream=True,
    seed=None,
    extra_body={
        "top_k": 40,
    },
)
for chunk in answer:
    print(chunk)
`);
});

it('is Python of the requests package where openai has no method, or the body is no JSON', () => {
  const rerank = asPython(sent({ query: 'a' }, '/rerank'), origin);
  expect(rerank).toContain('import requests');
  expect(rerank).toContain(String.raw`data="{\"query\":\"a\"}".encode(),`);
  expect(asPython(sent('{"model": oops'), origin)).toContain('import requests');
});

it('never shows what would turn a line around or hide', () => {
  const body = { messages: [{ role: 'user', content: 'a\u202eb\u2066c\u200bd\u{e0041}\u0085' }] };
  for (const text of [asPython(sent(body), origin), asJavaScript(sent(body), origin)]) {
    expect(text).not.toMatch(/[\u0085\u200b\u202e\u2066\u{e0041}]/u);
    expect(text).toContain(String.raw`a\u202eb\u2066c\u200bd`);
  }
});
