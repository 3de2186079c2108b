/** How programs are told where the API is: a snippet for each, with this page's address and a model that is here. */

export interface SnippetPlace {
  /** Where the API answers, without a slash at the end. */
  readonly origin: string;
  /** Of this page, which also serves `sampan.js`. */
  readonly site: string;
  /** As a request names it. */
  readonly model: string;
  /** Tokens that the model takes, where its file says so. */
  readonly contextSize?: number | undefined;
}

export interface Snippet {
  readonly id: string;
  readonly label: string;
  /** For colours. */
  readonly language: 'bash' | 'python' | 'javascript' | 'yaml' | 'json';
  readonly text: string;
  /** Where it goes, or what it needs. */
  readonly note: string;
  /** Who runs it: a program needs the companion, a page only an open tab. */
  readonly reach: 'program' | 'page';
}

export function snippetsFor(place: SnippetPlace): readonly Snippet[] {
  return [...commands(place), ...libraries(place), ...apps(place)];
}

const prompt = 'Say hello in three languages.';
/** What clients that insist on a key are given; nobody reads it. */
const anyKey = 'not-needed';

function commands({ origin, model }: SnippetPlace): readonly Snippet[] {
  const body = JSON.stringify({ model, messages: [{ role: 'user', content: prompt }] });
  return [
    {
      id: 'curl',
      label: 'curl',
      language: 'bash',
      reach: 'program',
      note: 'Add "stream": true for an answer as it is written; curl then needs -N.',
      text: [
        `curl ${shell(`${origin}/engines/v1/chat/completions`)} \\`,
        `  -H 'content-type: application/json' \\`,
        `  -d ${shell(body)}`,
        '',
      ].join('\n'),
    },
    {
      id: 'docker',
      label: 'docker model',
      language: 'bash',
      reach: 'program',
      note: 'Docker’s own command line; every command goes to this browser while the variable is set.',
      text: `export MODEL_RUNNER_HOST=${shell(origin)}\ndocker model list\ndocker model run ${shell(model)} ${shell(prompt)}\n`,
    },
  ];
}

function libraries({ origin, site, model }: SnippetPlace): readonly Snippet[] {
  const [base, name, said] = [`${origin}/engines/v1`, model, prompt].map((each) => JSON.stringify(each));
  return [
    {
      id: 'python',
      label: 'Python',
      language: 'python',
      reach: 'program',
      note: 'pip install openai',
      text: `from openai import OpenAI

client = OpenAI(base_url=${base}, api_key="${anyKey}")
stream = client.chat.completions.create(
    model=${name},
    messages=[{"role": "user", "content": ${said}}],
    stream=True,
)
for chunk in stream:
    print(chunk.choices[0].delta.content or "", end="", flush=True)
`,
    },
    {
      id: 'openai',
      label: 'JavaScript',
      language: 'javascript',
      reach: 'program',
      note: 'npm install openai',
      text: `import OpenAI from 'openai';

const client = new OpenAI({ baseURL: ${base}, apiKey: '${anyKey}' });
const stream = await client.chat.completions.create({
  model: ${name},
  messages: [{ role: 'user', content: ${said} }],
  stream: true,
});
for await (const chunk of stream) process.stdout.write(chunk.choices[0]?.delta?.content ?? '');
`,
    },
    {
      id: 'fetch',
      label: 'fetch in a tab',
      language: 'javascript',
      reach: 'page',
      note: 'For scripts of this site, or the console of any of its tabs: nothing but an open Sampan tab is needed.',
      text: `const response = await fetch('/engines/v1/chat/completions', {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({
    model: ${name},
    messages: [{ role: 'user', content: ${said} }],
  }),
});
const { choices } = await response.json();
console.log(choices[0].message.content);
`,
    },
    {
      id: 'site',
      label: 'Another site',
      language: 'javascript',
      reach: 'page',
      note: 'In a module script of any page. Call connect in a click: the first time a window asks you whether the page may.',
      text: `import { connect } from ${JSON.stringify(`${site}/sampan.js`)};

const sampan = await connect();
const response = await sampan.fetch('/engines/v1/chat/completions', {
  method: 'POST',
  body: JSON.stringify({
    model: ${name},
    messages: [{ role: 'user', content: ${said} }],
  }),
});
const { choices } = await response.json();
console.log(choices[0].message.content);
`,
    },
    {
      id: 'langchain',
      label: 'LangChain',
      language: 'python',
      reach: 'program',
      note: 'pip install langchain-openai',
      text: `from langchain_openai import ChatOpenAI

chat = ChatOpenAI(base_url=${base}, api_key="${anyKey}", model=${name})
for chunk in chat.stream(${said}):
    print(chunk.content, end="", flush=True)
`,
    },
    {
      id: 'ai-sdk',
      label: 'AI SDK',
      language: 'javascript',
      reach: 'program',
      note: 'npm install ai @ai-sdk/openai-compatible',
      text: `import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { streamText } from 'ai';

const sampan = createOpenAICompatible({ name: 'sampan', baseURL: ${base} });
const { textStream } = streamText({ model: sampan(${name}), prompt: ${said} });
for await (const text of textStream) process.stdout.write(text);
`,
    },
  ];
}

function apps({ origin, model, contextSize }: SnippetPlace): readonly Snippet[] {
  const base = `${origin}/engines/v1`;
  const zed = {
    language_models: {
      openai_compatible: {
        Sampan: {
          api_url: base,
          available_models: [
            { name: model, display_name: `Sampan ${model}`, max_tokens: contextSize ?? 4096 },
          ],
        },
      },
    },
  };
  return [
    {
      id: 'open-webui',
      label: 'Open WebUI',
      language: 'bash',
      reach: 'program',
      note: 'pip install open-webui. In a container, localhost is the container: start Sampan with --host there.',
      text: `export OPENAI_API_BASE_URL=${shell(base)}\nexport OPENAI_API_KEY=${anyKey}\nopen-webui serve\n`,
    },
    {
      id: 'continue',
      label: 'Continue',
      language: 'yaml',
      reach: 'program',
      note: 'For VS Code and JetBrains: ~/.continue/config.yaml',
      text: `name: Sampan
version: 0.0.1
schema: v1
models:
  - name: Sampan
    provider: openai
    model: ${JSON.stringify(model)}
    apiBase: ${JSON.stringify(base)}
    apiKey: ${anyKey}
    roles: [chat, edit, apply]
`,
    },
    {
      id: 'zed',
      label: 'Zed',
      language: 'json',
      reach: 'program',
      note: 'In settings.json. Zed asks for a key, or reads SAMPAN_API_KEY: any text will do.',
      text: `${JSON.stringify(zed, undefined, 2)}\n`,
    },
  ];
}

/** Between single quotes a shell reads everything as it is, but the quote; plain words need none. */
function shell(text: string): string {
  if (/^[\w:/.@%+=-]+$/.test(text)) return text;
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
