/** What the user has decided about pages of other origins, and how much each has asked. */
import type { Clock } from '#lib/core/clock.ts';
import { Signal } from '#lib/core/observable.ts';
import { entriesFor, type OriginRules } from '#lib/core/origin.ts';
import type { GrantJson, GrantWish } from '#lib/model/wire-access.ts';
import { parseGrants } from './parse.ts';
import type { GrantStore } from './port.ts';

export interface GrantsOptions {
  readonly store: GrantStore;
  readonly clock: Clock;
  readonly onError: (thrown: unknown) => void;
}

/** Usage is written so long after the first request that is not yet: a chat must not write once a message. */
const usageSaveMs = 5000;

export class Grants {
  /** A decision was made or taken back; usage does not count. */
  readonly changed = new Signal();
  readonly #options: GrantsOptions;
  readonly #byOrigin = new Map<string, GrantJson>();
  #cancelSave: (() => void) | undefined;
  #saving: Promise<void> = Promise.resolve();

  constructor(options: GrantsOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    for (const grant of parseGrants(await this.#options.store.load()))
      this.#byOrigin.set(grant.origin, grant);
    this.changed.notify();
  }

  /** In the order of their creation. */
  list(): readonly GrantJson[] {
    return [...this.#byOrigin.values()];
  }

  /** The most exact one for an origin, as a browser writes it. */
  of(origin: string): GrantJson | undefined {
    for (const entry of entriesFor(origin)) {
      const grant = this.#byOrigin.get(entry);
      if (grant) return grant;
    }
    return undefined;
  }

  /** Made or changed; resolves when it is durable. */
  async keep(wish: GrantWish): Promise<GrantJson> {
    const before = this.#byOrigin.get(wish.origin);
    const grant = { created_ms: this.#options.clock.now(), requests: 0, ...before, ...wish };
    this.#byOrigin.set(grant.origin, grant);
    this.changed.notify();
    await this.#save();
    return grant;
  }

  /** Resolves when it is durable; one that is not there is not missed. */
  async revoke(origin: string): Promise<void> {
    if (!this.#byOrigin.delete(origin)) return;
    this.changed.notify();
    await this.#save();
  }

  /** Counts one request that was let through. */
  count({ origin }: GrantJson): void {
    const grant = this.#byOrigin.get(origin);
    if (!grant) return;
    const { clock } = this.#options;
    this.#byOrigin.set(origin, { ...grant, last_used_ms: clock.now(), requests: grant.requests + 1 });
    this.#cancelSave ??= clock.after(usageSaveMs, () => void this.#saveUsage());
  }

  /** What a server in front of the runner needs to know. */
  rules(): OriginRules {
    const having = (decision: GrantJson['decision']) =>
      this.list().flatMap((grant) => (grant.decision === decision ? [grant.origin] : []));
    return { allowed: having('always'), refused: having('never') };
  }

  /** Resolves when the usage is written. */
  async close(): Promise<void> {
    if (this.#cancelSave) await this.#saveUsage();
    await this.#saving;
  }

  async #saveUsage(): Promise<void> {
    try {
      await this.#save();
    } catch (thrown) {
      this.#options.onError(thrown);
    }
  }

  /** One after the other, so that an older list never comes to lie over a newer one. */
  #save(): Promise<void> {
    this.#cancelSave?.();
    this.#cancelSave = undefined;
    const saved = this.#saving.then(() => this.#options.store.save(this.list()));
    this.#saving = saved.catch(() => undefined);
    return saved;
  }
}
