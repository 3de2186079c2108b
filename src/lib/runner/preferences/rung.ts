/** What models are computed on, as far as the runner must know: asked of whoever knows the machine. */
import type { ComputeJson, SettingsJson } from '#lib/model/wire.ts';

/** The rung that holds under a wish, and all that there are. */
export type AskLadder = (
  wish: SettingsJson['compute'],
) => Promise<Omit<ComputeJson, 'wasm_build' | 'wasm_builds'>>;

/** What models are computed with now, as a key: a model that was loaded with something else is loaded again. */
export async function meansOf(
  ladder: AskLadder,
  { compute, cpu_build: build }: SettingsJson,
): Promise<string> {
  // Whatever the rung: a model's own settings may keep it off the GPU.
  return `${(await ladder(compute)).rung}, ${build}`;
}

/** Of a runner whose engines compute wherever they like. */
export const noLadder: AskLadder = () =>
  Promise.resolve({ rung: 'wasm', pinned: false, rungs: [{ rung: 'wasm', available: true }] });

/** "webgpu (the GPU has no shader-f16)", for the log. */
export function rungWords({ rung, reason }: Pick<ComputeJson, 'rung' | 'reason'>): string {
  return reason === undefined ? rung : `${rung} (${reason})`;
}
