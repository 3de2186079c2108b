/** A stored model as the scheduler wants to hear of it: its name for people, what it is loaded with, what it takes. */
import { ApiError } from '#lib/core/errors.ts';
import { parseGoDuration } from '#lib/core/go-duration.ts';
import type { EngineName, LoadConfig, RunnerMode } from '#lib/engine/port.ts';
import { judgeFit, type Fit, type Machine } from '#lib/model/fit/judge.ts';
import type { ModelSettingsJson } from '#lib/model/wire.ts';
import { familiarReference, parseReference } from '#lib/model/reference.ts';
import type { IndexedModel } from '#lib/store/port.ts';
import type { Insight, ModelInsights } from './library/insight.ts';
import type { Library } from './library/library.ts';
import { openModel } from './library/open.ts';
import type { ModelRequest } from './scheduler/request.ts';

export interface ModelRequestPorts {
  readonly library: Library;
  readonly insights: Pick<ModelInsights, 'of'>;
  /** What an engine has here to compute with. */
  readonly machine: (engine: EngineName) => Promise<Machine>;
  /** For models without settings of their own; the app's when absent. */
  readonly defaults?: () => Promise<LoadDefaults>;
}

export interface LoadDefaults {
  readonly contextSize: number | undefined;
  /** In force now. */
  readonly means: string;
}

/** Enough for a conversation, small enough for every machine; the trained context may be 128 times that. */
const defaultContextSize = 4096;

/** What the settings ask for, as the scheduler takes it; the trained context is never exceeded. */
export async function modelRequest(
  ports: ModelRequestPorts,
  model: IndexedModel,
  settings: ModelSettingsJson,
  mode: RunnerMode = 'completion',
): Promise<ModelRequest> {
  const { library, insights } = ports;
  const described = library.describe(model);
  const trained = described.config.context_size ?? Infinity;
  const defaults = await ports.defaults?.();
  const config = configOf(settings, mode, { trained, wanted: defaults?.contextSize });
  const insight = await insights.of(model);
  return {
    id: model.id,
    name: displayName(model),
    mode,
    sizeBytes: insight?.memory(config).totalBytes ?? described.size_bytes,
    config,
    means: defaults?.means,
    keepAliveMs: settings.keep_alive === undefined ? undefined : parseGoDuration(settings.keep_alive),
    open: async () => {
      if (insight && !settings.ignore_fit) await requireFit(ports, model, { insight, config });
      return openModel(library, model);
    },
  };
}

/** Whether it would fit with this config; `undefined` where nothing is known of the model. */
export async function fitOf(
  ports: ModelRequestPorts,
  model: IndexedModel,
  settings: ModelSettingsJson,
): Promise<Fit | undefined> {
  const insight = await ports.insights.of(model);
  const trained = ports.library.describe(model).config.context_size ?? Infinity;
  const context = { trained, wanted: (await ports.defaults?.())?.contextSize };
  return insight && judge(ports, model, { insight, config: configOf(settings, 'completion', context) });
}

interface Question {
  readonly insight: Insight;
  readonly config: LoadConfig;
}

/** A model that cannot fit would end in a dead engine; told before, it is a sentence with numbers. */
async function requireFit(ports: ModelRequestPorts, model: IndexedModel, question: Question): Promise<void> {
  const fit = await judge(ports, model, question);
  if (fit.verdict !== 'too-large') return;
  throw new ApiError(
    'insufficient_memory',
    `${fit.sentence} To try all the same, turn the memory check off in the model’s settings.`,
  );
}

async function judge(
  { library, machine }: ModelRequestPorts,
  model: IndexedModel,
  { insight, config }: Question,
): Promise<Fit> {
  const engine = library.partsOf(model).artifact.engine ?? 'llama.cpp';
  const need = (contextSize: number) => insight.memory({ ...config, contextSize });
  return judgeFit({ contextSize: config.contextSize, need }, await machine(engine));
}

/** Tokens that the model was trained for, and those that are wanted where its settings do not say. */
interface Context {
  readonly trained: number;
  readonly wanted: number | undefined;
}

function configOf(
  settings: ModelSettingsJson,
  mode: RunnerMode,
  { trained, wanted = defaultContextSize }: Context,
): LoadConfig {
  return {
    mode,
    parallel: settings.parallel,
    contextSize: Math.min(trained, settings.context_size ?? wanted),
    gpuLayers: settings.gpu_layers,
    threads: settings.threads,
    cacheTypeK: settings.cache_type_k,
    cacheTypeV: settings.cache_type_v,
    flashAttention: settings.flash_attention,
    thinkBudget: settings.think_budget,
  };
}

/** The first tag as a person would type it, or the short id. */
export function displayName(model: IndexedModel): string {
  const [tag] = model.tags;
  return tag === undefined
    ? model.id.slice('sha256:'.length, 'sha256:'.length + 12)
    : familiarReference(parseReference(tag));
}
