/** Who has to leave so that a model fits: the policy of memory, as a pure function. */

/** A model that holds memory. */
export interface Occupant {
  readonly sizeBytes: number;
  readonly lastUsedMs: number;
  /** A pinned one stays whatever it does; a loading one counts as busy; a leaving one still holds its memory. */
  readonly state: 'idle' | 'busy' | 'pinned' | 'leaving';
}

export interface RoomRequest<T extends Occupant> {
  readonly needBytes: number;
  /** `Infinity` where it is unknown. */
  readonly budgetBytes: number;
  readonly occupants: readonly T[];
  /** Whom this request waits for already: it stays with them, so that they come to rest. */
  readonly claims: ReadonlySet<T>;
  /** What earlier requests wait for: the memory they will take, and who will leave for them. */
  readonly reserved: { readonly bytes: number; readonly claims: ReadonlySet<T> };
}

export type RoomPlan<T extends Occupant> =
  | { readonly action: 'load' }
  /** They are idle: close them, then ask again. */
  | { readonly action: 'evict'; readonly victims: readonly T[] }
  /** Until these are idle; none when memory is being freed or promised to an earlier request. */
  | { readonly action: 'wait'; readonly claims: readonly T[] }
  /** Only pinned models are left in the way. */
  | { readonly action: 'refuse'; readonly pinned: readonly T[] };

/**
 * Least recently used first, never a busy or pinned one. A model larger than the budget is loaded alone. A later
 * request may load before an earlier one only if the earlier one's plan still works out.
 */
export function planRoom<T extends Occupant>(request: RoomRequest<T>): RoomPlan<T> {
  const { needBytes, budgetBytes, occupants, claims, reserved } = request;
  const pinned = occupants.filter(({ state }) => state === 'pinned');
  if (!fits(pinned, needBytes, budgetBytes)) return { action: 'refuse', pinned };
  const staying = occupants.filter((each) => each.state !== 'leaving' && !reserved.claims.has(each));
  const enough = (victims: ReadonlySet<T>) => {
    const rest = staying.filter((each) => !victims.has(each));
    return reserved.bytes > 0
      ? reserved.bytes + sumBytes(rest) + needBytes <= budgetBytes
      : fits(rest, needBytes, budgetBytes);
  };
  const idle = staying.filter(({ state }) => state === 'idle').sort(byLastUse);
  const busy = staying.filter(({ state }) => state === 'busy').sort(byLastUse);
  const victims = fewest(idle, enough);
  if (victims?.length === 0) {
    return fits(occupants, needBytes, budgetBytes) ? { action: 'load' } : { action: 'wait', claims: [] };
  }
  if (victims) return { action: 'evict', victims };
  const kept = [...idle, ...busy].filter((each) => claims.has(each));
  const others = [...idle, ...busy].filter((each) => !claims.has(each));
  return { action: 'wait', claims: fewest([...kept, ...others], enough) ?? [] };
}

function fits(occupants: readonly Occupant[], needBytes: number, budgetBytes: number): boolean {
  return occupants.length === 0 || sumBytes(occupants) + needBytes <= budgetBytes;
}

/** The first of `candidates` that are enough, less those that the others make needless; `undefined` if all are too few. */
function fewest<T>(
  candidates: readonly T[],
  enough: (victims: ReadonlySet<T>) => boolean,
): readonly T[] | undefined {
  const victims = new Set<T>();
  for (const candidate of candidates) {
    if (enough(victims)) break;
    victims.add(candidate);
  }
  if (!enough(victims)) return undefined;
  for (const victim of [...victims].reverse()) {
    victims.delete(victim);
    if (!enough(victims)) victims.add(victim);
  }
  return candidates.filter((candidate) => victims.has(candidate));
}

function sumBytes(occupants: readonly Occupant[]): number {
  return occupants.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

function byLastUse(one: Occupant, other: Occupant): number {
  return one.lastUsedMs - other.lastUsedMs;
}
