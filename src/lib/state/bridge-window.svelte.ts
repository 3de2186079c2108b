/** The window that a page of another origin opens: who it is, what the user says to it, and what passes through. */
import { createSubscriber } from 'svelte/reactivity';
import type { Arrival, Visitor } from '#lib/bridge/foreign/arrival.ts';
import { hostLost } from '#lib/bridge/failures.ts';
import { sleep, type Clock } from '#lib/core/clock.ts';
import { ApiError, toApiError } from '#lib/core/errors.ts';
import { entriesFor } from '#lib/core/origin.ts';
import type { GrantDecision, GrantJson, GrantWish } from '#lib/model/wire-access.ts';
import { post, send, type Client } from './client.ts';

export type ModelScope = GrantJson['models'];

export type BridgeState =
  /** No page holds this window: somebody came here by hand, or the page is isolated from it. */
  | { readonly kind: 'alone' }
  | { readonly kind: 'waiting' }
  /** No tab of Sampan is open; it goes on by itself once one is. */
  | { readonly kind: 'no-host'; readonly origin: string }
  | { readonly kind: 'asking'; readonly origin: string; readonly models: readonly string[] }
  | { readonly kind: 'connected'; readonly origin: string; readonly scope: ModelScope; readonly word: Word }
  | { readonly kind: 'over'; readonly reason: OverReason; readonly message: string };

/** What lets the page in: until it is closed, or a grant that is kept, under its own origin or a wider entry. */
export type Word = 'once' | 'own grant' | 'wider grant';
export type OverReason = 'refused' | 'stopped' | 'left' | 'failed';

/** A session with the page; `#lib/bridge/foreign/relay.ts` has the real one. */
export interface RelayPort {
  readonly requests: number;
  readonly running: number;
  readonly isOver: boolean;
  readonly changed: { subscribe(listener: () => void): () => void };
  stop(error: ApiError): void;
}

export interface BridgeWindowOptions {
  readonly client: Client;
  readonly clock: Clock;
  /** `undefined` where the window has no opener. */
  readonly arrival: Promise<Arrival> | undefined;
  /** `once` is what the user allowed this page alone; nothing where a grant is kept. */
  readonly relay: (visitor: Visitor, once: ModelScope | undefined) => RelayPort;
  /** Tells the page why it is not let in. */
  readonly turnAway: (visitor: Visitor, error: ApiError) => void;
  /** The page has left, and the window has nothing more to do; a browser may keep it open all the same. */
  readonly close: () => void;
}

/**
 * A page can put this window under the pointer between the two clicks of a double click. So the buttons wake up only so
 * long after the question, or the window, has come to the front.
 */
const wakeMs = 700;
const hostRetryMs = 1000;

export class BridgeWindow {
  readonly #options: BridgeWindowOptions;
  #state = $state.raw<BridgeState>({ kind: 'waiting' });
  #isAwake = $state(false);
  #problem = $state.raw<ApiError>();
  #visitor: Visitor | undefined;
  #session = $state.raw<{ readonly relay: RelayPort; readonly follow: () => void }>();
  #cancelWake: () => void = () => undefined;

  constructor(options: BridgeWindowOptions) {
    this.#options = options;
  }

  get state(): BridgeState {
    return this.#state;
  }

  /** Whether a click on an answer counts yet. */
  get isAwake(): boolean {
    return this.#isAwake;
  }

  /** Why the last click did nothing. */
  get problem(): ApiError | undefined {
    return this.#problem;
  }

  get requests(): number {
    this.#session?.follow();
    return this.#session?.relay.requests ?? 0;
  }

  get running(): number {
    this.#session?.follow();
    return this.#session?.relay.running ?? 0;
  }

  /** Resolves when the user is asked, the page is connected, or there is nothing to do. */
  async start(): Promise<void> {
    const arrival = await this.#options.arrival;
    if (!arrival) this.#state = { kind: 'alone' };
    else if (arrival.kind === 'refused') this.#end('failed', arrival.error.message);
    else await this.#receive(arrival.visitor).catch((thrown: unknown) => this.#fail(thrown));
  }

  /** The window came to the front; the buttons sleep again for a moment. */
  focused(): void {
    if (this.#state.kind === 'asking') this.#wakeLater();
  }

  /** The user's answer. An answer that cannot be kept is told in `problem`, and the question stays. */
  async answer(decision: GrantDecision, models: ModelScope): Promise<void> {
    const visitor = this.#visitor;
    if (!visitor || !this.#isAwake || this.#state.kind !== 'asking') return;
    const { origin } = visitor;
    this.#problem = undefined;
    try {
      if (decision !== 'once') await this.#keep({ origin, decision, models });
    } catch (thrown) {
      this.#problem = toApiError(thrown);
      return;
    }
    if (decision === 'never') this.#refuse(visitor, origin);
    else this.#connect(visitor, models, decision === 'once' ? 'once' : 'own grant');
  }

  /** Ends the session; a grant stays. */
  stop(): void {
    // First: otherwise it looks as if the page had left.
    this.#end('stopped', 'Stopped. The page has to connect again.');
    this.#session?.relay.stop(new ApiError('host_lost', 'Sampan’s window was stopped. Connect again.'));
  }

  /** Ends the session and forgets the grant, so that the page has to ask again. */
  async revoke(): Promise<void> {
    if (this.#state.kind !== 'connected') return;
    const path = `/_sampan/grants?origin=${encodeURIComponent(this.#state.origin)}`;
    try {
      await send(this.#options.client, path, { method: 'DELETE' });
    } catch (thrown) {
      this.#problem = toApiError(thrown);
      return;
    }
    this.#end('stopped', 'Revoked. The page has to ask again.');
    this.#session?.relay.stop(new ApiError('forbidden_origin', 'Sampan’s user took the permission back.'));
  }

  /** The window goes away. */
  leave(): void {
    this.#cancelWake();
    this.#session?.relay.stop(hostLost());
  }

  async #receive(visitor: Visitor): Promise<void> {
    this.#visitor = visitor;
    const { origin } = visitor;
    const grants = await this.#patiently<GrantJson[]>('/_sampan/grants', origin);
    const grant = entriesFor(origin)
      .map((entry) => grants.find((one) => one.origin === entry))
      .find((found) => found);
    if (grant?.decision === 'never') this.#refuse(visitor, grant.origin);
    else if (grant)
      this.#connect(visitor, grant.models, grant.origin === origin ? 'own grant' : 'wider grant');
    else {
      const { data } = await this.#patiently<{ data: { id: string }[] }>('/engines/v1/models', origin);
      this.#state = { kind: 'asking', origin, models: data.map(({ id }) => id) };
      this.#wakeLater();
    }
  }

  /** The runner's answer, as soon as there is a runner. The boundary: it is of this same build. */
  async #patiently<T>(path: string, origin: string): Promise<T> {
    for (;;) {
      try {
        return (await (await send(this.#options.client, path)).json()) as T;
      } catch (thrown) {
        const error = toApiError(thrown);
        if (error.code !== 'no_host') throw error;
        this.#state = { kind: 'no-host', origin };
        await sleep(this.#options.clock, hostRetryMs);
      }
    }
  }

  async #keep(wish: GrantWish): Promise<void> {
    await send(this.#options.client, '/_sampan/grants', { ...post(wish), method: 'PUT' });
  }

  #connect(visitor: Visitor, scope: ModelScope, word: Word): void {
    const relay = this.#options.relay(visitor, word === 'once' ? scope : undefined);
    this.#session = { relay, follow: createSubscriber((update) => relay.changed.subscribe(update)) };
    this.#state = { kind: 'connected', origin: visitor.origin, scope, word };
    const stopFollowing = relay.changed.subscribe(() => {
      if (!relay.isOver) return;
      stopFollowing();
      if (this.#state.kind !== 'connected') return;
      this.#end('left', 'The page has left. This window can be closed.');
      this.#options.close();
    });
  }

  #refuse(visitor: Visitor, entry: string): void {
    const error = new ApiError('forbidden_origin', 'Sampan’s user does not allow this page to use models.');
    this.#options.turnAway(visitor, error);
    this.#end('refused', `${entry} is refused. Sampan’s settings can allow it again.`);
  }

  #fail(thrown: unknown): void {
    const error = toApiError(thrown);
    if (this.#visitor) this.#options.turnAway(this.#visitor, error);
    this.#end('failed', error.message);
  }

  #end(reason: OverReason, message: string): void {
    this.#cancelWake();
    this.#state = { kind: 'over', reason, message };
  }

  #wakeLater(): void {
    this.#cancelWake();
    this.#isAwake = false;
    this.#cancelWake = this.#options.clock.after(wakeMs, () => (this.#isAwake = true));
  }
}
