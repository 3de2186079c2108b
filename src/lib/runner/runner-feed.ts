/** What of the runner's parts the feed and the log follow. */
import type { Clock } from '#lib/core/clock.ts';
import { Signal } from '#lib/core/observable.ts';
import type { StatusJson } from '#lib/model/wire.ts';
import type { BlobStore } from '#lib/store/port.ts';
import { residents } from './endpoints/engines.ts';
import { Feed } from './feed.ts';
import type { Library } from './library/library.ts';
import { describeAll } from './library/local.ts';
import type { Log } from './log/log.ts';
import { logRunner } from './log/runner-lines.ts';
import type { Preferences } from './preferences/preferences.ts';
import type { Pulls } from './pulls/pulls.ts';
import type { Scheduler } from './scheduler/scheduler.ts';

export interface FollowedParts {
  readonly log: Log;
  readonly library: Library;
  readonly store: BlobStore;
  readonly pulls: Pulls;
  readonly scheduler: Scheduler;
  readonly preferences: Preferences;
  readonly status: () => Promise<StatusJson>;
  /** What `status` tells has changed outside of the runner. */
  readonly statusChanged?: Signal | undefined;
  readonly clock: Clock;
  readonly onError: (thrown: unknown) => void;
}

export function followRunner({ status, statusChanged, clock, onError, ...parts }: FollowedParts): Feed {
  const { log, library, store, pulls, scheduler, preferences } = parts;
  const stored = new Signal();
  library.changed.subscribe(() => stored.notify());
  const machine = new Signal();
  for (const signal of [stored, preferences.changed, statusChanged])
    signal?.subscribe(() => machine.notify());
  logRunner(log, {
    residents: { changed: scheduler.changed, read: () => residents(scheduler) },
    pulls: { changed: pulls.changed, read: () => pulls.toJson() },
  });
  return new Feed({
    clock,
    status,
    onError,
    sources: {
      status: { changed: [machine], read: status },
      models: { changed: [stored], read: () => describeAll({ library, store }) },
      pulls: { changed: [pulls.changed], read: () => pulls.toJson() },
      runners: { changed: [scheduler.changed], read: () => residents(scheduler) },
    },
  });
}
