/** From what the machine has to a headless host that runs. */
import { existsSync, mkdirSync } from 'node:fs';
import { ApiError } from '#lib/core/errors.ts';
import type { Environment } from '#server/options.ts';
import { browserArguments } from './arguments.ts';
import { findBrowser } from './find-browser.ts';
import { HeadlessHost } from './headless-host.ts';
import { profileFolder } from './profile.ts';

export interface HeadlessSurroundings {
  /** The companion's address, which the browser opens. */
  readonly url: string;
  readonly platform: string;
  readonly environment: Environment;
  readonly log: (line: string) => void;
}

/** Throws `engine_unavailable` where there is no browser, `invalid_request` where there is no home for its profile. */
export function startHeadless({ url, platform, environment, log }: HeadlessSurroundings): HeadlessHost {
  const program = findBrowser({ platform, environment, exists: existsSync });
  if (program === undefined) {
    throw new ApiError(
      'engine_unavailable',
      'No Chrome, Edge or Chromium was found. Install one, or name its program with SAMPAN_BROWSER.',
    );
  }
  const profile = profileFolder(platform, environment);
  mkdirSync(profile, { recursive: true });
  const user = process.getuid?.() === 0 ? 'root' : 'other';
  const args = browserArguments({ url, profile, platform, user });
  return new HeadlessHost({ program, args, platform, log });
}
