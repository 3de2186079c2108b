/** The daemon's lines in the browser's console. */
import type { LogLineJson } from '#lib/model/wire-requests.ts';

export const consoleLog = {
  /** llama.cpp tells a lot at debug level; browsers hide that level until it is asked for. */
  line: ({ level, component, message, fields }: LogLineJson): void => {
    console[level](`[${component}] ${message}`, ...(fields ? [fields] : []));
  },
  failure: (thrown: unknown): void => {
    console.error('[sampan]', thrown);
  },
};
