/** What is needed of a `tokenizer_config.json`: chat templates and the tokens that they name. */
import * as v from 'valibot';

const specialToken = v.fallback(
  v.nullish(
    v.union([
      v.string(),
      v.pipe(
        v.object({ content: v.string() }),
        v.transform(({ content }) => content),
      ),
    ]),
  ),
  undefined,
);

const schema = v.object({
  bos_token: specialToken,
  eos_token: specialToken,
  chat_template: v.fallback(
    v.nullish(v.union([v.string(), v.array(v.object({ name: v.string(), template: v.string() }))])),
    undefined,
  ),
});

export interface TokenizerConfig {
  readonly beginToken: string;
  readonly endToken: string;
  readonly chatTemplate: string | undefined;
  /** For conversations with tools, where a model has one of its own for them. */
  readonly toolTemplate: string | undefined;
}

/** Without the file, or with a broken one, all is empty: a model may have its template elsewhere. */
export async function readTokenizerConfig(files: ReadonlyMap<string, Blob>): Promise<TokenizerConfig> {
  const parsed = v.safeParse(schema, await jsonOf(files.get('tokenizer_config.json')));
  const raw = parsed.success ? parsed.output : undefined;
  const template = raw?.chat_template;
  const named = (wanted: string) =>
    Array.isArray(template) ? template.find(({ name }) => name === wanted)?.template : undefined;
  return {
    beginToken: raw?.bos_token ?? '',
    endToken: raw?.eos_token ?? '',
    chatTemplate: typeof template === 'string' ? template : named('default'),
    toolTemplate: named('tool_use'),
  };
}

async function jsonOf(blob: Blob | undefined): Promise<unknown> {
  if (!blob) return undefined;
  try {
    return JSON.parse(await blob.text());
  } catch {
    return undefined;
  }
}
