/** Where the headless browser keeps its profile, and in it the models: apart from the user's own. */
import { join } from 'node:path';
import { ApiError } from '#lib/core/errors.ts';
import type { Environment } from '#server/options.ts';

/** Throws `invalid_request` when the environment names no home. */
export function profileFolder(platform: string, environment: Environment): string {
  if (environment.SAMPAN_PROFILE) return environment.SAMPAN_PROFILE;
  return join(dataFolder(platform, environment), platform === 'linux' ? 'sampan' : 'Sampan', 'profile');
}

function dataFolder(platform: string, { HOME, XDG_DATA_HOME, LOCALAPPDATA }: Environment): string {
  if (platform === 'win32' && LOCALAPPDATA) return LOCALAPPDATA;
  if (platform === 'linux' && XDG_DATA_HOME) return XDG_DATA_HOME;
  if (!HOME) {
    throw new ApiError(
      'invalid_request',
      'There is no home folder to keep the models in. Name one with SAMPAN_PROFILE.',
    );
  }
  return platform === 'darwin' ? join(HOME, 'Library', 'Application Support') : join(HOME, '.local', 'share');
}
