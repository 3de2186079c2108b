/** `_configure` of Docker Model Runner: settings per model, here durable and without a load behind the caller's back. */
import * as v from 'valibot';
import { ApiError } from '#lib/core/errors.ts';
import type { ModelSettingsJson } from '#lib/model/wire.ts';
import { settingsOfFlags, splitFlags } from '#lib/runner/configure/flags.ts';
import { parseSettings, type ModelSettings } from '#lib/runner/configure/settings.ts';
import type { Library } from '#lib/runner/library/library.ts';
import type { Call, Route } from '#lib/runner/router.ts';
import type { IndexedModel } from '#lib/store/port.ts';
import { json } from './respond.ts';

export interface ConfigurePorts {
  readonly library: Library;
  readonly settings: ModelSettings;
}

export const configureBody = v.strictObject({
  model: v.pipe(v.string(), v.minLength(1)),
  mode: v.optional(v.picklist(['completion', 'embedding', 'reranking'])),
  'context-size': v.nullish(v.number()),
  'runtime-flags': v.nullish(v.array(v.string())),
  'raw-runtime-flags': v.nullish(v.string()),
  keep_alive: v.nullish(v.string()),
  llamacpp: v.nullish(v.strictObject({ 'reasoning-budget': v.nullish(v.number()) })),
});

type Body = v.InferOutput<typeof configureBody>;

/** What Docker Model Runner has and a browser cannot do. */
const impossible: Readonly<Record<string, string>> = {
  speculative:
    'Decoding with a draft model needs two models in one engine, which the build for browsers cannot do.',
  vllm: 'vLLM does not run in a browser.',
};

export function configureRoutes(ports: ConfigurePorts): readonly Route[] {
  return [
    { method: 'POST', pattern: '/engines/_configure', handle: (call) => configure(call, ports) },
    { method: 'GET', pattern: '/engines/_configure', handle: (call) => show(call, ports) },
  ];
}

async function configure(call: Call, { library, settings }: ConfigurePorts): Promise<Response> {
  const wanted = parseBody(await call.json());
  const model = await library.getLenient(wanted.model);
  await settings.put(model.id, settingsOf(wanted));
  return new Response(null, { status: 202 });
}

/** Later parts win, as in Docker Model Runner: the list of flags before the line of flags. */
function settingsOf(wanted: Body): ModelSettingsJson {
  const words = wanted['runtime-flags'] ?? splitFlags(wanted['raw-runtime-flags'] ?? '');
  const asked = {
    context_size: wanted['context-size'] ?? undefined,
    keep_alive: wanted.keep_alive ?? undefined,
    mode: wanted.mode,
    think_budget: wanted.llamacpp?.['reasoning-budget'] ?? undefined,
    ...settingsOfFlags(words),
  };
  return parseSettings(Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined)));
}

function parseBody(value: unknown): Body {
  for (const [param, given] of typeof value === 'object' && value !== null ? Object.entries(value) : []) {
    const reason = impossible[param];
    if (reason !== undefined && given !== null)
      throw new ApiError('unsupported_parameter', reason, { param });
  }
  const parsed = v.safeParse(configureBody, value);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  const param = v.getDotPath(issue) ?? 'body';
  throw new ApiError('invalid_request', `“${param}”: ${issue.message}.`, { param });
}

async function show(call: Call, { library, settings }: ConfigurePorts): Promise<Response> {
  const [models, configured] = await Promise.all([library.list(), settings.list()]);
  const asked = call.url.searchParams.get('model');
  const only = asked === null ? undefined : await library.getLenient(asked).catch(noModel);
  const shown = models.filter(({ id }) => configured.has(id) && (asked === null || id === only?.id));
  return json(shown.map((model) => entry(model, configured.get(model.id) ?? {})));
}

/** Docker Model Runner answers an empty list for a model that it does not know. */
function noModel(thrown: unknown): undefined {
  if (thrown instanceof ApiError && ['model_not_found', 'invalid_reference'].includes(thrown.code))
    return undefined;
  throw thrown;
}

function entry(model: IndexedModel, asked: ModelSettingsJson): Readonly<Record<string, unknown>> {
  const { context_size, keep_alive, mode, think_budget, ...others } = asked;
  return {
    Backend: 'llama.cpp',
    Model: model.tags[0] ?? model.id,
    ModelID: model.id,
    Mode: mode ?? 'completion',
    Config: {
      ...(context_size === undefined ? {} : { 'context-size': context_size }),
      ...(keep_alive === undefined ? {} : { keep_alive }),
      ...(think_budget === undefined ? {} : { llamacpp: { 'reasoning-budget': think_budget } }),
      ...(Object.keys(others).length === 0 ? {} : { sampan: others }),
    },
  };
}
