/** What a page of another origin may do at all: ask models and see which there are. Everything else is the user's. */
import type { Route } from '#lib/runner/router.ts';

export type Capability =
  /** Asks the model that its body names. */
  | 'ask'
  /** Tells of the model that its path names. */
  | 'describe'
  /** Lists models. */
  | 'list'
  /** Tells what everybody may know. */
  | 'look';

const table: Readonly<Record<Exclude<Capability, 'ask'>, readonly string[]>> = {
  describe: ['/models/*', '/engines/v1/models/*'],
  list: ['/models', '/engines/v1/models', '/api/tags'],
  look: ['/version', '/api/version', '/openapi.json'],
};

const asks =
  /^(\/engines\/v1\/(chat\/completions|completions|embeddings|responses)|(\/engines(\/v1|\/llama\.cpp|\/webllm)?)?\/(rerank|score)|\/(de)?tokenize|\/responses|\/anthropic\/v1\/messages(\/count_tokens)?|\/api\/(chat|generate|embed|embeddings|show))$/;

/** `undefined` for what only the user's own pages and programs may do. Paths are those of routes, aliases folded. */
export function capabilityOf({ method, pattern }: Pick<Route, 'method' | 'pattern'>): Capability | undefined {
  if (method === 'POST') return asks.test(pattern) ? 'ask' : undefined;
  if (method !== 'GET') return undefined;
  if (table.describe.includes(pattern)) return 'describe';
  if (table.list.includes(pattern)) return 'list';
  return table.look.includes(pattern) ? 'look' : undefined;
}
