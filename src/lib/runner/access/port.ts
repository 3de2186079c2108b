/** Where the user's word about other origins outlives the tab. */
import type { GrantJson } from '#lib/model/wire-access.ts';

export interface GrantStore {
  /** What `save` was given last; anything else that lies there is not trusted. */
  load(): Promise<unknown>;
  /** Resolves when the grants are durable. */
  save(grants: readonly GrantJson[]): Promise<void>;
}
