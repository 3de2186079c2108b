/** Which of the lanes that need memory get it, in the order in which they came; those that wait keep what they claim. */
import type { Clock } from '#lib/core/clock.ts';
import type { Lane, Ticket } from './lane.ts';
import { planRoom } from './room.ts';
import type { Slot } from './slot.ts';

export interface AdmissionPorts {
  readonly clock: Clock;
  readonly budgetBytes: () => number;
  readonly load: (lane: Lane, ticket: Ticket) => void;
  readonly evict: (slot: Slot) => void;
  readonly refuse: (lane: Lane, ticket: Ticket, pinned: readonly Slot[]) => void;
}

/** A model that others wait for takes new requests for this long; then it answers only those that came before them. */
const patienceMs = 5000;

/** Who waits for memory since when, as later lanes must respect it. */
interface Reserved {
  readonly bytes: number;
  readonly claims: ReadonlySet<Slot>;
}

/** `lanes`: all, those that wait in order of their heads. */
export function admit(lanes: readonly Lane[], ports: AdmissionPorts): void {
  let reserved: Reserved = { bytes: 0, claims: new Set() };
  for (const lane of lanes) {
    for (let head = lane.head; head && lane.mayLoad; head = lane.head) {
      const next = place(lane, head, { lanes, reserved, ports });
      if (next === reserved) continue;
      reserved = next;
      break;
    }
  }
}

/** Whether a model takes no request that came as late as `ticket`, because earlier ones wait for it to come to rest. */
export function isHeldBack(slot: Slot, ticket: Ticket, lanes: readonly Lane[], nowMs: number): boolean {
  return lanes.some(
    ({ wait, head }) =>
      wait?.claims.has(slot) === true &&
      nowMs - wait.sinceMs >= patienceMs &&
      head !== undefined &&
      head.number < ticket.number,
  );
}

/** The same `reserved` when the ticket is out of the way. */
function place(
  lane: Lane,
  ticket: Ticket,
  { lanes, reserved, ports }: { lanes: readonly Lane[]; reserved: Reserved; ports: AdmissionPorts },
): Reserved {
  const needBytes = ticket.request.sizeBytes;
  const plan = planRoom<Slot>({
    needBytes,
    budgetBytes: ports.budgetBytes(),
    occupants: lanes.flatMap(({ slots }) => slots),
    claims: lane.wait?.claims ?? new Set(),
    reserved,
  });
  if (plan.action === 'load') {
    ports.load(lane, ticket);
    return reserved;
  }
  if (plan.action === 'refuse') {
    ports.refuse(lane, ticket, plan.pinned);
    return reserved;
  }
  if (plan.action === 'evict') for (const victim of plan.victims) ports.evict(victim);
  const claims = plan.action === 'wait' ? plan.claims : [];
  lane.waitFor(claims, ports.clock.now());
  return {
    bytes: reserved.bytes + needBytes,
    claims: new Set([...reserved.claims, ...claims]),
  };
}
