/** What the API page works with: the endpoints of the runner, and the request that is tried. */
import { toApiError, type ApiError } from '#lib/core/errors.ts';
import { systemClock } from '#lib/core/clock.ts';
import { send, type Client } from './client.ts';
import { endpointsOf, isTryable, type Endpoint } from './developers-endpoints.ts';
import { Trial, type TrialOptions } from './developers-trial.svelte.ts';
import { browserFrames } from './frames.ts';

export type EndpointList =
  | { readonly status: 'loading' }
  | { readonly status: 'ready'; readonly endpoints: readonly Endpoint[] }
  | { readonly status: 'failed'; readonly error: ApiError };

/** The endpoint that is tried first. */
const firstId = 'createChatCompletion';

export class Developers {
  readonly trial: Trial;
  readonly #client: Client;
  #list = $state.raw<EndpointList>({ status: 'loading' });

  constructor(options: TrialOptions) {
    this.#client = options.client;
    this.trial = new Trial(options);
  }

  get list(): EndpointList {
    return this.#list;
  }

  get tryable(): readonly Endpoint[] {
    return this.#list.status === 'ready' ? this.#list.endpoints.filter(isTryable) : [];
  }

  /** Never rejects: a failure is the state of the list. */
  async load(): Promise<void> {
    this.#list = { status: 'loading' };
    try {
      const response = await send(this.#client, '/openapi.json');
      const endpoints = endpointsOf(await response.json());
      this.#list = { status: 'ready', endpoints };
      const first = endpoints.find(({ id }) => id === firstId);
      if (first && !this.trial.endpoint) this.trial.choose(first, undefined);
    } catch (thrown) {
      this.#list = { status: 'failed', error: toApiError(thrown) };
    }
  }
}

export function openDevelopers(client: Client): Developers {
  return new Developers({ client, clock: systemClock, frames: browserFrames });
}
