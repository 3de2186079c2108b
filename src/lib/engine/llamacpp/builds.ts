/** The builds of llama.cpp as wllama objects: the package's two and our own. */
import { Wllama } from '@wllama/wllama';
import { CompatWllama } from './compat-wllama.ts';
import type { NativeLog } from './native-log.ts';
import type { OwnBuild } from './own-builds.ts';
import type { Build } from './plan.ts';

export interface LlamaCppAssets {
  /** Absolute URLs: wllama resolves relative ones against a blob worker. */
  readonly wasmUrl: string;
  readonly compatWasmUrl: string;
  /** The text of the script of the compat build; fetched only where it is used. */
  readonly compatScript: () => Promise<string>;
  /** `manifest.json` of our own builds; there are none when absent. */
  readonly ownBuildsUrl?: string;
}

/** One object per load: after exit() a reload on the same object claims to be loaded while it is not. */
export async function createWllama(
  build: OwnBuild | Build,
  { wasmUrl, compatWasmUrl, compatScript }: LlamaCppAssets,
  logger: NativeLog,
): Promise<Wllama> {
  if (build === 'compat') {
    return new CompatWllama({ code: await compatScript(), wasmUrl: compatWasmUrl }, { logger });
  }
  if (build !== 'default') return newOwn(build, logger);
  const wllama = new Wllama({ default: wasmUrl }, { logger });
  // Without this call the package would fetch its fallback build from a public CDN.
  wllama.setCompat(null);
  return wllama;
}

/** Its llama.cpp is of another version than the package's on purpose, and the package would warn of it at every load. */
function newOwn(build: OwnBuild, logger: NativeLog): Wllama {
  const wllama = new CompatWllama(build, { logger });
  Object.defineProperty(wllama, 'checkWasmVersion', { value: () => Promise.resolve() });
  return wllama;
}
