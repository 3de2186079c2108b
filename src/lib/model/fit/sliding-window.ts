/**
 * Which layers of a GGUF model attend to the last tokens only. A file says how wide the window is and seldom which
 * layers have one: that stands in llama.cpp's loader of each architecture (`set_swa_pattern` in `src/models/*.cpp`).
 */
import type { Hyperparameters } from './hyperparameters.ts';

export interface SlidingWindow {
  readonly tokens: number;
  readonly has: (layer: number) => boolean;
}

interface Rule {
  /** One layer of so many sees everything. */
  readonly period: number;
  /** Where in the group it stands; last when absent. */
  readonly whole?: 'first';
  /** In force without a word of the file. */
  readonly tokens?: number;
}

const rules: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ['afmoe', { period: 4 }],
  ['cohere2', { period: 4 }],
  ['exaone-moe', { period: 4 }],
  ['gemma2', { period: 2, tokens: 4096 }],
  ['gemma3', { period: 6 }],
  ['gemma3n', { period: 5 }],
  ['gpt-oss', { period: 2 }],
  ['laguna', { period: 4, whole: 'first' }],
  ['llama4', { period: 4, tokens: 8192 }],
  ['olmo2', { period: 4 }],
  ['plamo3', { period: 8 }],
  ['smallthinker', { period: 4, whole: 'first' }],
]);

/** Its files have a window that llama.cpp leaves aside. */
const withoutWindow: ReadonlySet<string> = new Set(['phi3']);
/** The one of its sizes whose layers have a window. */
const exaone4 = { layers: 64, rule: { period: 4, tokens: 4096 } } as const;

/** `undefined` where every layer sees everything, or nothing is known: then the cache is at most too large. */
export function slidingWindow(parameters: Hyperparameters): SlidingWindow | undefined {
  const { architecture } = parameters;
  if (withoutWindow.has(architecture)) return undefined;
  const rule = ruleOf(parameters);
  const tokens = parameters.count('attention.sliding_window') ?? rule?.tokens ?? 0;
  const listed = parameters.list('attention.sliding_window_pattern');
  if (tokens === 0) return undefined;
  if (listed) return { tokens, has: (layer) => listed[layer] === 1 };
  const period = parameters.count('attention.sliding_window_pattern') ?? rule?.period;
  if (period === undefined) return undefined;
  return { tokens, has: (layer) => isWindowed(layer, period, rule) };
}

function ruleOf({ architecture, layers }: Hyperparameters): Rule | undefined {
  if (architecture === 'exaone4') return layers === exaone4.layers ? exaone4.rule : undefined;
  return rules.get(architecture);
}

/** A period of 0 gives every layer a window, as llama.cpp has it. */
function isWindowed(layer: number, period: number, rule: Rule | undefined): boolean {
  if (period === 0) return true;
  return rule?.whole === 'first' ? layer % period !== 0 : layer % period < period - 1;
}
