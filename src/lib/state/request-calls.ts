/** A recorded request as a program would send it: a command, a script, a snippet. Secrets are never kept, so none is in it. */
import type { RequestJson } from '#lib/model/wire-requests.ts';
import { parseJson } from './client.ts';

type Sent = Pick<RequestJson, 'method' | 'path' | 'request_body'>;

/** A POSIX shell command. */
export function asCurl(request: Sent, origin: string): string {
  const lines = [
    `curl ${shellQuoted(origin + request.path)}`,
    `-H 'content-type: application/json'`,
    `--data-raw ${shellQuoted(request.request_body.text)}`,
  ];
  return lines.join(' \\\n  ');
}

/** With the `openai` package where it has a method for the path, else with `requests`. */
export function asPython(request: Sent, origin: string): string {
  const body = parseJson(request.request_body.text);
  const call = openAiCall(request.path);
  if (!call || !isRecord(body)) return plainPython(request, origin);
  const { known, extra } = splitBody(body, call.fields);
  const parameters = Object.entries(known).map(([name, value]) => `    ${name}=${python(value, 1)},`);
  if (Object.keys(extra).length > 0) parameters.push(`    extra_body=${python(extra, 1)},`);
  return [
    'from openai import OpenAI',
    '',
    `client = OpenAI(base_url=${python(origin + call.base)}, api_key="not-needed")`,
    `answer = client.${call.method}(`,
    ...parameters,
    ')',
    ...(body.stream === true ? ['for chunk in answer:', '    print(chunk)'] : ['print(answer)']),
    '',
  ].join('\n');
}

export function asJavaScript(request: Sent, origin: string): string {
  const body: unknown = parseJson(request.request_body.text);
  const streams = isRecord(body) && body.stream === true;
  const sent = body === undefined ? request.request_body.text : body;
  const value = javaScript(JSON.stringify(sent, undefined, 2));
  return [
    `const response = await fetch(${javaScript(JSON.stringify(origin + request.path))}, {`,
    `  method: ${JSON.stringify(request.method)},`,
    `  headers: { 'content-type': 'application/json' },`,
    `  body: ${body === undefined ? value : `JSON.stringify(${value.replaceAll('\n', '\n  ')})`},`,
    '});',
    ...(streams
      ? [
          'for await (const text of response.body.pipeThrough(new TextDecoderStream())) {',
          '  console.log(text);',
          '}',
        ]
      : ['console.log(await response.json());']),
    '',
  ].join('\n');
}

interface OpenAiCall {
  readonly base: string;
  readonly method: string;
  /** Parameters that the method has; others travel in `extra_body`. */
  readonly fields: ReadonlySet<string>;
}

const shared = ['model', 'user', 'stream', 'stream_options', 'temperature', 'top_p', 'seed', 'stop', 'n'];
const sampling = [...shared, 'max_tokens', 'frequency_penalty', 'presence_penalty', 'logit_bias', 'logprobs'];

const openAiMethods: readonly (readonly [string, string, readonly string[]])[] = [
  [
    '/chat/completions',
    'chat.completions.create',
    [
      ...sampling,
      'messages',
      'max_completion_tokens',
      'top_logprobs',
      'tools',
      'tool_choice',
      'parallel_tool_calls',
      'response_format',
      'reasoning_effort',
    ],
  ],
  ['/completions', 'completions.create', [...sampling, 'prompt', 'suffix', 'echo', 'best_of']],
  ['/embeddings', 'embeddings.create', ['model', 'input', 'dimensions', 'encoding_format', 'user']],
];

function openAiCall(path: string): OpenAiCall | undefined {
  const [, base, endpoint] = /^(.*\/v1)(\/.+)$/.exec(path) ?? [];
  const found = openAiMethods.find(([end]) => end === endpoint);
  if (base === undefined || !found) return undefined;
  return { base, method: found[1], fields: new Set(found[2]) };
}

function plainPython({ method, path, request_body: body }: Sent, origin: string): string {
  return [
    'import requests',
    '',
    'answer = requests.request(',
    `    ${python(method)},`,
    `    ${python(origin + path)},`,
    `    headers={"content-type": "application/json"},`,
    `    data=${python(body.text)}.encode(),`,
    ')',
    'print(answer.text)',
    '',
  ].join('\n');
}

function splitBody(body: Readonly<Record<string, unknown>>, fields: ReadonlySet<string>) {
  const entries = Object.entries(body);
  return {
    known: Object.fromEntries(entries.filter(([name]) => fields.has(name))),
    extra: Object.fromEntries(entries.filter(([name]) => !fields.has(name))),
  };
}

/** Between single quotes a shell reads everything as it is, but the quote. */
function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** A literal of Python. Its strings know JSON's escapes; half of a surrogate pair stays an escape there too. */
function python(value: unknown, depth = 0): string {
  if (value === null || value === undefined) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'string') return asciiSafe(JSON.stringify(value), pythonEscape);
  if (Array.isArray(value))
    return block(
      '[',
      ']',
      value.map((item) => python(item, depth + 1)),
      depth,
    );
  if (!isRecord(value)) return JSON.stringify(value);
  const entries = Object.entries(value).map(([name, item]) => `${python(name)}: ${python(item, depth + 1)}`);
  return block('{', '}', entries, depth);
}

function block(open: string, close: string, items: readonly string[], depth: number): string {
  if (items.length === 0) return open + close;
  const indent = '    '.repeat(depth + 1);
  return `${open}\n${items.map((item) => `${indent}${item},\n`).join('')}${'    '.repeat(depth)}${close}`;
}

/**
 * JSON is JavaScript but for one key, which there is no key but a prototype; what cannot be seen, or turns the line around
 * in an editor, is escaped. Keys stand at the beginning of their line.
 */
function javaScript(json: string): string {
  return asciiSafe(json.replace(/^( *)"__proto__":/gm, '$1["__proto__"]:'), (code) =>
    code > 0xffff ? `\\u{${code.toString(16)}}` : `\\u${code.toString(16).padStart(4, '0')}`,
  );
}

const unseen = /[\x7f-\x9f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\u{e0000}-\u{e007f}]/gu;

function asciiSafe(text: string, escape: (code: number) => string): string {
  return text.replace(unseen, (character) => escape(character.codePointAt(0) ?? 0));
}

function pythonEscape(code: number): string {
  return code > 0xffff
    ? `\\U${code.toString(16).padStart(8, '0')}`
    : `\\u${code.toString(16).padStart(4, '0')}`;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
