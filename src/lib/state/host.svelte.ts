/** Where the engine lives, as seen from this tab. */
import { createSubscriber } from 'svelte/reactivity';

/** `follower`: another tab hosts it. `down`: this tab was to host it and could not. */
export type HostKind = 'follower' | 'starting' | 'hosting' | 'down';

/** What the election tells a page; `#lib/bridge/election.ts` has the real one. */
export interface HostPort {
  readonly state: { readonly kind: HostKind };
  /** Calls `listener` after every change of `state`; returns how to stop. */
  subscribe(listener: () => void): () => void;
  /** Takes part again after `down`. */
  restart(): void;
  /** Moves the engine here from a tab that does not answer; resolves with whether it does. */
  takeOver(): Promise<boolean>;
}

const words: Readonly<Record<HostKind, string>> = {
  follower: 'Engine in another tab',
  starting: 'Engine starting',
  hosting: 'Engine in this tab',
  down: 'Engine did not start',
};

const hints: Readonly<Record<HostKind, string>> = {
  follower: 'Another tab hosts the engine. Everything works from here.',
  starting: 'The engine is starting in this tab.',
  hosting: 'This tab hosts the engine for every open Sampan tab.',
  down: 'The engine could not start in this tab. Try again, or reload the page.',
};

export class EngineHost {
  readonly #port: HostPort;
  readonly #subscribe: () => void;

  constructor(port: HostPort) {
    this.#port = port;
    this.#subscribe = createSubscriber((update) => port.subscribe(update));
  }

  get kind(): HostKind {
    this.#subscribe();
    return this.#port.state.kind;
  }

  get label(): string {
    return words[this.kind];
  }

  get hint(): string {
    return hints[this.kind];
  }

  restart(): void {
    this.#port.restart();
  }

  takeOver(): Promise<boolean> {
    return this.#port.takeOver();
  }
}
