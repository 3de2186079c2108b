/** Where the user's Chrome, Edge or Chromium is. */
import { delimiter, join } from 'node:path';
import type { Environment } from '#server/options.ts';

export interface Machine {
  /** As `process.platform`. */
  readonly platform: string;
  readonly environment: Environment;
  /** Whether a program stands at this path. */
  readonly exists: (path: string) => boolean;
}

const linuxNames = [
  'google-chrome',
  'google-chrome-stable',
  'chromium',
  'chromium-browser',
  'microsoft-edge',
  'microsoft-edge-stable',
  'brave-browser',
];

const macApps = ['Google Chrome', 'Microsoft Edge', 'Chromium', 'Brave Browser'];

const windowsPrograms = [
  ['Google', 'Chrome', 'Application', 'chrome.exe'],
  ['Microsoft', 'Edge', 'Application', 'msedge.exe'],
  ['Chromium', 'Application', 'chrome.exe'],
];

/** `SAMPAN_BROWSER` wins, even when it is wrong: starting another browser than the named one would be a surprise. */
export function findBrowser(machine: Machine): string | undefined {
  const wanted = machine.environment.SAMPAN_BROWSER || machine.environment.SAMPAN_CHROMIUM;
  if (wanted) return wanted;
  return candidates(machine).find((path) => machine.exists(path));
}

function candidates({ platform, environment }: Machine): string[] {
  if (platform === 'darwin') {
    const folders = ['/Applications', ...(environment.HOME ? [join(environment.HOME, 'Applications')] : [])];
    return macApps.flatMap((app) =>
      folders.map((folder) => join(folder, `${app}.app`, 'Contents', 'MacOS', app)),
    );
  }
  if (platform === 'win32') {
    const { PROGRAMFILES, LOCALAPPDATA } = environment;
    const folders = [PROGRAMFILES, environment['PROGRAMFILES(X86)'], LOCALAPPDATA].filter(
      (folder) => folder !== undefined,
    );
    return windowsPrograms.flatMap((program) => folders.map((folder) => join(folder, ...program)));
  }
  const folders = (environment.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  return linuxNames.flatMap((name) => folders.map((folder) => join(folder, name)));
}
