/**
 * The host election, begun once the service worker controls this page. A worker is under the control that its page had
 * when it started it: the engine files of a worker started earlier would never be kept for offline use.
 */
import type { Host } from '#lib/bridge/election.ts';
import type { HostPort } from './host.svelte.ts';

export class LateHost implements HostPort {
  readonly #listeners = new Set<() => void>();
  readonly #ready: Promise<Host>;
  #host: Host | undefined;

  /** `controlled` resolves in any case: without a service worker the engine runs all the same. */
  constructor(controlled: Promise<unknown>, create: () => Host) {
    this.#ready = controlled.then(() => this.#begin(create()));
  }

  get state(): HostPort['state'] {
    return this.#host?.state ?? { kind: 'starting' };
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  restart(): void {
    this.#host?.restart();
  }

  async takeOver(): Promise<boolean> {
    return (await this.#ready).takeOver();
  }

  #begin(host: Host): Host {
    this.#host = host;
    host.subscribe(() => this.#tell());
    this.#tell();
    return host;
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
