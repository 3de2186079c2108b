import { describe, expect, it } from 'vitest';
import { parseChatRequest, type ChatRequest } from '#lib/openai/chat.ts';
import { parseChatConfig } from '#lib/engine/webllm/chat-config.ts';
import { chatConfigJson, json } from '#lib/engine/webllm/testing/mlc-files.ts';
import { promptForm } from './prompt.ts';

const config = parseChatConfig(chatConfigJson);

function ask(messages: readonly object[], fields: object = {}): ChatRequest {
  return parseChatRequest({ model: 'x', messages, ...fields });
}

async function render(
  request: ChatRequest,
  files: Record<string, Blob> = {},
  chatTemplate?: string,
): Promise<string> {
  const form = await promptForm({ config, files: new Map(Object.entries(files)), chatTemplate });
  return form.render(request);
}

const user = { role: 'user', content: 'Hi' };

describe('a prompt in MLC’s own form', () => {
  it('has the model’s system message when there is none', async () => {
    expect(await render(ask([user]))).toBe('<s>Be kind.</s>\n<u>:Hi</e>\n<a>:');
  });

  it('has every role, and the system message of the conversation', async () => {
    const messages = [
      {
        role: 'developer',
        content: [
          { type: 'text', text: 'Be' },
          { type: 'text', text: ' brief.' },
        ],
      },
      user,
      { role: 'assistant', content: 'Ho' },
      { role: 'tool', content: '42', tool_call_id: 'call_1' },
    ];
    expect(await render(ask(messages))).toBe(
      '<s>Be brief.</s>\n<u>:Hi</e>\n<a>:Ho</e>\n<u>:<tool_response>\n42\n</tool_response></e>\n<a>:',
    );
  });

  it('leaves what looks like a pattern as it is', async () => {
    const content = 'costs $& and $1, {user_message}';
    expect(await render(ask([{ role: 'user', content }]))).toContain(`<u>:${content}</e>`);
  });

  it('refuses a second system message', async () => {
    const messages = [user, { role: 'system', content: 'Stop.' }];
    await expect(render(ask(messages))).rejects.toMatchObject({ code: 'invalid_request', param: 'messages' });
  });

  it('takes turns with its separators, and can leave out the role after the system message', async () => {
    const odd = parseChatConfig({
      ...chatConfigJson,
      conv_template: {
        ...chatConfigJson.conv_template,
        seps: [' ', '!'],
        add_role_after_system_message: false,
      },
    });
    const form = await promptForm({ config: odd, files: new Map(), chatTemplate: undefined });
    const messages = [user, { role: 'assistant', content: 'Ho' }, user];
    expect(form.render(ask(messages))).toBe('<s>Be kind.</s>\nHi <a>:Ho!<u>:Hi <a>:');
    expect(form.prefixTokens).toEqual([1]);
  });
});

describe('a prompt by a Jinja template', () => {
  const template =
    '{{ bos_token }}{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}{% if add_generation_prompt %}>{% endif %}{% if loud %}!{% endif %}';
  const tokenizer = { bos_token: { content: '<bos>' }, chat_template: template };

  it('is that of the tokenizer, and has its own first token', async () => {
    const files = { 'tokenizer_config.json': json(tokenizer) };
    expect(await render(ask([user]), files)).toBe('<bos>[user]Hi>');
    const form = await promptForm({ config, files: new Map(Object.entries(files)), chatTemplate: undefined });
    expect(form.prefixTokens).toEqual([]);
  });

  it('is the default one of several, or the one in a file of its own', async () => {
    const several = {
      ...tokenizer,
      chat_template: [
        { name: 'rag', template: 'no' },
        { name: 'default', template },
      ],
    };
    expect(await render(ask([user]), { 'tokenizer_config.json': json(several) })).toBe('<bos>[user]Hi>');
    expect(await render(ask([user]), { 'chat_template.jinja': new Blob(['own']) })).toBe('own');
  });

  it('is the one that replaces it', async () => {
    expect(await render(ask([user]), { 'tokenizer_config.json': json(tokenizer) }, 'mine')).toBe('mine');
  });

  it('gets the values of the request', async () => {
    const request = ask([user], { chat_template_kwargs: { loud: true, messages: [] } });
    expect(await render(request, {}, template)).toBe('[user]Hi>!');
  });

  it('calls a developer the system, and leaves out what is empty', async () => {
    const messages = [{ role: 'developer', content: 'a', reasoning_content: null }];
    const keys = "{% for m in messages %}{{ m.role }}{{ 'reasoning_content' in m }}{% endfor %}";
    expect(await render(ask(messages), {}, keys)).toBe('systemfalse');
  });

  it('that throws refuses the request, without a word of it in the error', async () => {
    const refusing = "{{ raise_exception('not ' ~ messages[0].content) }}";
    const rendering = render(ask([{ role: 'user', content: 'canary' }]), {}, refusing);
    const error: unknown = await rendering.catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'invalid_request', param: 'messages' });
    expect(String(error)).not.toContain('canary');
    expect(error).not.toHaveProperty('cause');
  });

  it('that is none refuses the model', async () => {
    await expect(render(ask([user]), {}, '{% for %}')).rejects.toMatchObject({
      code: 'unsupported_model_format',
    });
  });

  it('is left aside where the tokenizer cannot read its tokens, and where the file is broken', async () => {
    const mlcForm = '<s>Be kind.</s>\n<u>:Hi</e>\n<a>:';
    const pieces = { ...config, tokenizerFiles: ['tokenizer.model'] };
    const form = await promptForm({ config: pieces, files: new Map(), chatTemplate: template });
    expect(form.render(ask([user]))).toBe(mlcForm);
    expect(await render(ask([user]), { 'tokenizer_config.json': new Blob(['{']) })).toBe(mlcForm);
  });
});

describe('a prompt with tools', () => {
  const tools = [{ type: 'function', function: { name: 'weather', parameters: { type: 'object' } } }];
  const call = {
    id: 'call_abcdefghijkl',
    type: 'function',
    function: { name: 'weather', arguments: '{"city": "Rome"}' },
  };
  const turns = [
    user,
    { role: 'assistant', content: null, tool_calls: [call] },
    { role: 'tool', content: 'Sunny', tool_call_id: call.id },
  ];
  const told = (marker: string) =>
    `{% if tools %}${marker}{{ tools | tojson }}{% endif %}{% for m in messages %}[{{ m.role }}]{{ m.content }}` +
    '{% if m.tool_calls %}{{ m.tool_calls[0].id }}{{ m.tool_calls[0].function.arguments.city }}{% endif %}' +
    '{% if m.tool_call_id %}{{ m.tool_call_id }}{% endif %}{% endfor %}';

  it('has them in the way of the model’s template, arguments as objects', async () => {
    const rendered = await render(ask(turns, { tools }), {}, told('<tool_call>'));
    expect(rendered).toContain('<tool_call>[{"type": "function", "function": {"name": "weather"');
    expect(rendered).toContain(`[user]Hi[assistant]${call.id}Rome[tool]Sunny${call.id}`);
  });

  it('has ids as Mistral’s templates want them', async () => {
    const rendered = await render(ask(turns, { tools }), {}, told('[TOOL_CALLS]'));
    expect(rendered).toContain('[assistant]defghijklRome[tool]Sunnydefghijkl');
  });

  it('has none when none may be called', async () => {
    const rendered = await render(ask([user], { tools, tool_choice: 'none' }), {}, told('<tool_call>'));
    expect(rendered).toBe('[user]Hi');
  });

  it('is that of the template for tools, where there is one', async () => {
    const several = [
      { name: 'default', template: 'plain' },
      { name: 'tool_use', template: '{% if tools %}<tool_call>{% endif %}' },
    ];
    const files = { 'tokenizer_config.json': json({ chat_template: several }) };
    expect(await render(ask([user], { tools }), files)).toBe('<tool_call>');
    expect(await render(ask([user]), files)).toBe('plain');
  });

  it.each([
    ['a template that knows no tools', '{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}'],
    ['MLC’s own form', undefined],
  ])('tells of them in the system message with %s', async (_, template) => {
    const rendered = await render(ask(turns, { tools }), {}, template);
    expect(rendered).toContain('{"name":"weather","parameters":{"type":"object"}}');
    expect(rendered).toContain('{"name": "weather", "arguments": {"city": "Rome"}}\n</tool_call>');
    expect(rendered).toContain('<tool_response>\nSunny\n</tool_response>');
    const withSystem = await render(
      ask([{ role: 'system', content: 'Be kind.' }, user], { tools }),
      {},
      template,
    );
    expect(withSystem).toMatch(/Be kind\.\n\nYou can call/);
  });

  it('may have 500 of them', async () => {
    const many = Array.from({ length: 500 }, (_, index) => ({
      type: 'function',
      function: { name: `tool_${index}`, description: 'Does it.', parameters: { type: 'object' } },
    }));
    for (const template of [told('<tool_call>'), undefined]) {
      expect(await render(ask([user], { tools: many }), {}, template)).toContain('tool_499');
    }
  });

  it('is not thought about when no effort is asked for', async () => {
    const thinking = '{% if enable_thinking is defined and enable_thinking is false %}fast{% endif %}';
    expect(await render(ask([user], { reasoning_effort: 'none' }), {}, thinking)).toBe('fast');
    expect(await render(ask([user]), {}, thinking)).toBe('');
    const source = { config, files: new Map<string, Blob>(), chatTemplate: thinking, thinkBudget: 0 };
    const off = await promptForm(source);
    expect(off.render(ask([user]))).toBe('fast');
    expect(off.render(ask([user], { chat_template_kwargs: { enable_thinking: true } }))).toBe('');
  });
});
