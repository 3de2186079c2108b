/** A pull as Docker Model Runner's progress lines. */
import { AsyncQueue } from '#lib/core/async-queue.ts';
import { formatWireSize } from '#lib/core/format.ts';
import type { ProgressJson } from '#lib/model/wire.ts';
import type { Pull, PullLayer } from './pull.ts';

export interface WatchOptions {
  readonly signal: AbortSignal;
  /** This watcher is gone, at the end or before it. */
  readonly onLeave: () => void;
}

/** At most one line per layer and MiB, and always one at its end. */
const stepBytes = 1024 * 1024;

/** Lines up to the pull's end. A failure before the first line is thrown; after it, it is the last line. */
export async function* progressLines(
  pull: Pull,
  { signal, onLeave }: WatchOptions,
): AsyncGenerator<ProgressJson, void, undefined> {
  const changes = new AsyncQueue<true>();
  const unsubscribe = pull.changed.subscribe(() => changes.push(true));
  const onAbort = () => changes.fail(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  const told = new Map<string, number>();
  try {
    signal.throwIfAborted();
    changes.push(true);
    for await (const _ of changes) {
      for (const line of layerLines(pull, told)) yield line;
      const end = endLine(pull, told.size > 0);
      if (end) return yield end;
    }
  } finally {
    signal.removeEventListener('abort', onAbort);
    unsubscribe();
    onLeave();
  }
}

function layerLines(pull: Pull, told: Map<string, number>): readonly ProgressJson[] {
  const { state } = pull;
  const nothingMoves = state.status === 'queued' || state.status === 'resolving';
  if (nothingMoves || (state.status === 'done' && state.cached)) return [];
  const total = pull.layers.reduce((sum, layer) => sum + layer.sizeBytes, 0);
  return pull.layers
    .filter((layer) => isNews(pull, layer, told))
    .map((layer) => layerLine(pull, layer, total, told));
}

function isNews(pull: Pull, layer: PullLayer, told: ReadonlyMap<string, number>): boolean {
  const current = pull.receivedBytesOf(layer);
  const before = told.get(layer.digest) ?? 0;
  return current - before >= stepBytes || (current === layer.sizeBytes && current > before);
}

function layerLine(pull: Pull, layer: PullLayer, total: number, told: Map<string, number>): ProgressJson {
  const current = pull.receivedBytesOf(layer);
  told.set(layer.digest, current);
  return {
    type: 'progress',
    message: `Downloaded: ${(current / stepBytes).toFixed(2)} MB`,
    total,
    layer: { id: layer.digest, size: layer.sizeBytes, current },
    mode: 'pull',
  };
}

function endLine(pull: Pull, toldAnything: boolean): ProgressJson | undefined {
  const { state } = pull;
  if (state.status === 'done') {
    const size = pull.layers.reduce((sum, layer) => sum + layer.sizeBytes, 0);
    return line(
      'success',
      state.cached ? `Using cached model: ${formatWireSize(size)}` : 'Model pulled successfully',
    );
  }
  if (state.status === 'paused')
    return line('error', 'The pull was paused. Pull the model again to resume it.');
  if (state.status !== 'failed') return undefined;
  if (!toldAnything) throw state.error;
  return line('error', state.error.message);
}

function line(type: ProgressJson['type'], message: string): ProgressJson {
  return { type, message, total: 0, layer: { size: 0, current: 0 }, mode: 'pull' };
}
