/** Reads the list of MLC models from where the app itself is served. */
import type { Clock } from '#lib/core/clock.ts';
import type { ApiError } from '#lib/core/errors.ts';
import { parseMlcList } from '#lib/model/mlc-list.ts';
import { readAtMost, unreachable, withDeadline, type Fetch } from '#lib/registry/http.ts';
import type { MlcList } from './mlc-libraries.ts';

export interface MlcListSourceOptions {
  readonly fetch: Fetch;
  readonly clock: Clock;
  /** `/mlc-models.json` of the app. */
  readonly url: URL;
}

const maxBytes = 2 ** 20;
const deadlineMs = 30_000;

/** Asked for with each model: the service worker keeps it. Throws `registry_unreachable` and `internal`. */
export function mlcListSource({ fetch, clock, url }: MlcListSourceOptions): MlcList {
  const server = `${url.host} (where this app is from)`;
  return () =>
    withDeadline({ clock, delayMs: deadlineMs, server }, async (signal) => {
      const response = await fetch(url, { signal });
      if (response.status !== 200) throw noList(url);
      const bytes = await readAtMost(response, maxBytes, () => noList(url));
      return parseMlcList(new TextDecoder().decode(bytes));
    });
}

function noList({ host }: URL): ApiError {
  return unreachable(`${host} did not send the app’s list of MLC models. Reload the page and try again.`);
}
