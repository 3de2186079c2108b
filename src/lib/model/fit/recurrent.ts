/** The layers that keep a state of fixed size instead of a cache: state space models, RWKV, short convolutions. */
import type { Hyperparameters } from './hyperparameters.ts';

export interface RecurrentLayers {
  readonly has: (layer: number) => boolean;
  /** falcon-h1: every layer has both. */
  readonly attendToo: boolean;
}

/** All layers are recurrent. */
const recurrentOnly: ReadonlySet<string> = new Set([
  'arwkv7',
  'mamba',
  'mamba2',
  'rwkv6',
  'rwkv6qwen2',
  'rwkv7',
]);

/** A layer without heads for keys and values is recurrent. */
const byHeads: ReadonlySet<string> = new Set([
  'granitehybrid',
  'jamba',
  'kimi-linear',
  'lfm2',
  'lfm2moe',
  'plamo2',
]);

/** As above, and a layer with a feed forward network is neither. */
const byHeadsAndNetwork: ReadonlySet<string> = new Set(['nemotron_h', 'nemotron_h_moe']);

/** One layer of so many attends (`full_attention_interval`). */
const byInterval: ReadonlySet<string> = new Set(['qwen3next', 'qwen35', 'qwen35moe', 'qwen4exp']);
const defaultInterval = 4;

const floatBytes = 4;

/** Which layers they are, and the bytes of all their states for one slot. */
export function recurrentBytes(parameters: Hyperparameters): { recurrent: RecurrentLayers; bytes: number } {
  const recurrent = recurrentLayers(parameters);
  const count = Array.from({ length: parameters.layers }, (_, layer) => layer).filter(recurrent.has).length;
  return { recurrent, bytes: count * stateSize(parameters) * floatBytes };
}

function recurrentLayers(parameters: Hyperparameters): RecurrentLayers {
  const { architecture } = parameters;
  const only = (has: (layer: number) => boolean): RecurrentLayers => ({ has, attendToo: false });
  const headless = (layer: number) => parameters.ofLayer('attention.head_count_kv', layer) === 0;
  if (recurrentOnly.has(architecture)) return only(() => true);
  if (architecture === 'falcon-h1') return { has: () => true, attendToo: true };
  if (byHeads.has(architecture)) return only(headless);
  if (byHeadsAndNetwork.has(architecture)) {
    return only((layer) => headless(layer) && parameters.ofLayer('feed_forward_length', layer) === 0);
  }
  if (byInterval.has(architecture)) {
    const interval = parameters.count('full_attention_interval') ?? defaultInterval;
    return only((layer) => (layer + 1) % interval !== 0);
  }
  return only(() => false);
}

/** Floats of one layer: what is carried of the last tokens, and the state (`n_embd_r`, `n_embd_s`). */
function stateSize(parameters: Hyperparameters): number {
  const of = (key: string) => parameters.count(key) ?? 0;
  const width = of('embedding_length');
  if (of('wkv.head_size') > 0)
    return (parameters.count('token_shift_count') ?? 2) * width + width * of('wkv.head_size');
  if (of('shortconv.l_cache') > 0) return width * (of('shortconv.l_cache') - 1);
  const before = Math.max(0, of('ssm.conv_kernel') - 1);
  if (of('kda.head_dim') > 0) {
    const heads = parameters.ofLayer('attention.head_count', 0) ?? 0;
    return 3 * before * heads * of('kda.head_dim') + heads * of('kda.head_dim') ** 2;
  }
  const inner = of('ssm.inner_size');
  return before * (inner + 2 * of('ssm.group_count') * of('ssm.state_size')) + inner * of('ssm.state_size');
}
