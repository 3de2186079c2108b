import { describe, expect, it, onTestFinished } from 'vitest';
import { ManualClock } from '#lib/core/clock.ts';
import { callHost } from './call.ts';
import { Host, type HostOptions, type HostState } from './election.ts';
import { holdLock } from './locks.ts';
import { controlChannelName, hostLockName } from './protocol.ts';
import { get, lockNames, newScope, puppetEngine, runnerWorker } from './testing/support.ts';

/** A host whose workers the test can count and kill. */
function hostOf(scope: string, options: Partial<HostOptions> = {}) {
  const workers: Worker[] = [];
  const createWorker = (engineId: string) => {
    const worker = options.createWorker?.(engineId) ?? runnerWorker(scope, engineId);
    workers.push(worker);
    return worker;
  };
  const host = new Host({ ...options, scope, createWorker });
  const kinds: HostState['kind'][] = [];
  host.subscribe(() => kinds.push(host.state.kind));
  onTestFinished(() => host.close());
  return { host, workers, kinds };
}

function deadWorker(): Worker {
  return new Worker(new URL('./testing/dead.worker.ts', import.meta.url), { type: 'module' });
}

function brokenWorker(): Worker {
  return new Worker(
    URL.createObjectURL(new Blob(['throw new Error("broken")'], { type: 'text/javascript' })),
  );
}

async function hosting({ host }: { host: Host }): Promise<void> {
  await expect.poll(() => host.state.kind, { timeout: 10_000 }).toBe('hosting');
}

async function status(scope: string): Promise<number> {
  const response = await callHost(get('/v1/tokens'), { scope });
  await response.body?.cancel();
  return response.status;
}

describe('one tab', () => {
  it('becomes host and answers', async () => {
    const scope = newScope();
    const tab = hostOf(scope);
    await hosting(tab);
    expect(tab.kinds).toEqual(['starting', 'hosting']);
    expect(await status(scope)).toBe(200);
  });

  it('leaves nothing behind when it is closed', async () => {
    const scope = newScope();
    const tab = hostOf(scope);
    await hosting(tab);
    await tab.host.close();
    await expect.poll(() => lockNames(scope)).toEqual([]);
  });

  it('may be closed before it was elected', async () => {
    const scope = newScope();
    await hosting(hostOf(scope));
    const second = hostOf(scope);
    await second.host.close();
    expect(second.workers).toEqual([]);
    expect((await lockNames(scope)).filter((name) => name === 'llm-host')).toHaveLength(1);
  });

  it('tells nobody who has unsubscribed', async () => {
    const scope = newScope();
    const tab = hostOf(scope);
    let told = 0;
    tab.host.subscribe(() => (told += 1))();
    await hosting(tab);
    expect(told).toBe(0);
  });
});

describe('a worker that dies', () => {
  it('is replaced at once the first time', async () => {
    const scope = newScope();
    const tab = hostOf(scope);
    await hosting(tab);
    tab.workers[0]?.terminate();
    await expect.poll(() => tab.workers.length).toBe(2);
    await hosting(tab);
    expect(tab.kinds).toEqual(['starting', 'hosting', 'starting', 'hosting']);
    expect(await status(scope)).toBe(200);
  });

  it('is replaced after 0, 1 and 5 s, and then given up', async () => {
    const scope = newScope();
    const clock = new ManualClock();
    const spawnedAtMs: number[] = [];
    const createWorker = () => {
      spawnedAtMs.push(clock.now());
      return brokenWorker();
    };
    const channel = new BroadcastChannel(controlChannelName(scope));
    onTestFinished(() => channel.close());
    const heard: unknown[] = [];
    channel.onmessage = ({ data }: MessageEvent<unknown>) => heard.push(data);

    const { host } = hostOf(scope, { clock, createWorker });
    await expect.poll(() => clock.advance(200).then(() => host.state.kind), { timeout: 10_000 }).toBe('down');

    const gapsMs = spawnedAtMs.slice(1).map((atMs, index) => atMs - (spawnedAtMs[index] ?? 0));
    // Between a death and its discovery the clock goes on a little.
    expect(gapsMs.map((gapMs) => Math.floor(gapMs / 1000))).toEqual([0, 1, 5]);
    expect(host.state).toMatchObject({ kind: 'down', reason: { code: 'engine_unavailable' } });
    await expect.poll(() => heard).toEqual([{ type: 'host-down' }]);
    expect(await lockNames(scope)).toEqual([]);
  });

  it('is given up when it closes itself before it serves', async () => {
    const scope = newScope();
    const clock = new ManualClock();
    const tab = hostOf(scope, { clock, createWorker: deadWorker });
    await expect
      .poll(() => clock.advance(10_000).then(() => tab.host.state.kind), { timeout: 10_000 })
      .toBe('down');
    expect(tab.workers).toHaveLength(4);
  });

  it('counts from the start again after a minute of health', async () => {
    const scope = newScope();
    const clock = new ManualClock();
    const tab = hostOf(scope, { clock });
    for (let death = 1; death <= 5; death++) {
      await expect
        .poll(() => clock.advance(0).then(() => tab.host.state.kind), { timeout: 10_000 })
        .toBe('hosting');
      await clock.advance(60_000);
      tab.workers.at(-1)?.terminate();
      await expect
        .poll(() => clock.advance(50).then(() => tab.workers.length), { timeout: 10_000 })
        .toBe(death + 1);
    }
  });

  it('makes a tab take part again only when it is asked to', async () => {
    const scope = newScope();
    const clock = new ManualClock();
    let isWell = false;
    const tab = hostOf(scope, {
      clock,
      createWorker: (engineId) => (isWell ? runnerWorker(scope, engineId) : brokenWorker()),
    });
    await expect
      .poll(() => clock.advance(5_000).then(() => tab.host.state.kind), { timeout: 10_000 })
      .toBe('down');
    isWell = true;
    tab.host.restart();
    await expect
      .poll(() => clock.advance(50).then(() => tab.host.state.kind), { timeout: 10_000 })
      .toBe('hosting');
  });
});

describe('two tabs', () => {
  it('have one host, and the other follows it when it is closed', async () => {
    const scope = newScope();
    const first = hostOf(scope);
    await hosting(first);
    const second = hostOf(scope);
    expect(second.host.state).toEqual({ kind: 'follower' });
    expect(second.workers).toEqual([]);

    await first.host.close();
    await hosting(second);
    expect(await status(scope)).toBe(200);
  });

  it('pass the election on when the first gives up', async () => {
    const scope = newScope();
    const clock = new ManualClock();
    const first = hostOf(scope, { clock, createWorker: brokenWorker });
    await expect.poll(() => first.host.state.kind).toBe('starting');
    const second = hostOf(scope);
    await expect
      .poll(() => clock.advance(5_000).then(() => first.host.state.kind), { timeout: 10_000 })
      .toBe('down');
    await hosting(second);
  });

  it('make the old host a follower when its lock is stolen', async () => {
    const scope = newScope();
    const tab = hostOf(scope);
    await hosting(tab);
    const thief = new AbortController();
    const stolen = navigator.locks.request(
      hostLockName(scope),
      { steal: true },
      () => new Promise<void>((resolve) => thief.signal.addEventListener('abort', () => resolve())),
    );
    await expect.poll(() => tab.host.state.kind).toBe('follower');
    await expect
      .poll(async () => (await lockNames(scope)).some((name) => name.startsWith('llm-engine')))
      .toBe(false);
    thief.abort();
    await stolen;
    await hosting(tab);
    expect(tab.workers).toHaveLength(2);
  });
});

describe('taking over', () => {
  /** A tab that holds the election and whose engine says nothing; `thawed` is what it finds when it wakes up. */
  async function frozenTab(scope: string) {
    await puppetEngine(scope, 4, 'frozen');
    const lock = await holdLock(navigator.locks, hostLockName(scope));
    onTestFinished(() => lock.release());
    return { thawed: lock.stolen };
  }

  it('steals the election from a tab whose engine is silent, and the new engine wins', async () => {
    const scope = newScope();
    const clock = new ManualClock();
    const { thawed } = await frozenTab(scope);
    const tab = hostOf(scope, { clock });
    const taking = tab.host.takeOver();
    await expect
      .poll(() => clock.advance(500).then(() => tab.host.state.kind), { timeout: 10_000 })
      .toBe('hosting');
    expect(await taking).toBe(true);
    await thawed;
    expect(await status(scope)).toBe(200);
  });

  it('leaves a host alone that answers', async () => {
    const scope = newScope();
    const first = hostOf(scope);
    await hosting(first);
    const second = hostOf(scope);
    expect(await second.host.takeOver()).toBe(false);
    expect(first.host.state.kind).toBe('hosting');
  });

  it('is for visible tabs only', async () => {
    const scope = newScope();
    await frozenTab(scope);
    const tab = hostOf(scope, { isVisible: () => false });
    expect(await tab.host.takeOver()).toBe(false);
    expect(tab.host.state.kind).toBe('follower');
  });
});
