/** Where the daemon's own lines go: the browser's console. */
import type { NativeLine } from '#lib/engine/llamacpp/native-log.ts';

export const consoleLog = {
  /** llama.cpp tells a lot at debug level; browsers hide that level until it is asked for. */
  native: ({ level, text }: NativeLine): void => {
    console[level](`[llama.cpp] ${text}`);
  },
  failure: (thrown: unknown): void => {
    console.error('[sampan]', thrown);
  },
};
