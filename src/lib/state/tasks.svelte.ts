/**
 * Long work that a page asked for: pushes, repairs, loading, packaging. It goes on when its dialog is closed or another
 * page is opened, and it ends in sight: done, cancelled, or failed with a way to try again.
 */
import { toApiError, type ApiError } from '#lib/core/errors.ts';
import type { Credentials } from './pulls.svelte.ts';

export type TaskKind = 'push' | 'repair' | 'load' | 'package';

export interface TaskStep {
  readonly doneBytes: number;
  /** 0 while it is not known. */
  readonly totalBytes: number;
  /** What it is at: "Copying weights.gguf". */
  readonly text: string;
}

export interface WorkOptions {
  readonly signal: AbortSignal;
  /** Given once, for a registry that asked for them; kept nowhere. */
  readonly credentials: Credentials | undefined;
}

/** Yields how far it is and returns its closing sentence; called again for every attempt. */
export type Work = (options: WorkOptions) => AsyncGenerator<TaskStep, string, undefined>;

export type TaskState =
  | { readonly status: 'running'; readonly step: TaskStep | undefined }
  | { readonly status: 'done'; readonly text: string }
  | { readonly status: 'cancelled' }
  | { readonly status: 'failed'; readonly error: ApiError };

export interface TaskPlan {
  readonly kind: TaskKind;
  readonly title: string;
  readonly work: Work;
}

type OnEnd = (task: Task) => void;

export class Task {
  readonly id: number;
  readonly kind: TaskKind;
  readonly title: string;
  readonly #work: Work;
  readonly #onEnd: OnEnd;
  #state = $state.raw<TaskState>({ status: 'running', step: undefined });
  #controller = new AbortController();

  constructor(id: number, { kind, title, work }: TaskPlan, onEnd: OnEnd) {
    this.id = id;
    this.kind = kind;
    this.title = title;
    this.#work = work;
    this.#onEnd = onEnd;
  }

  get state(): TaskState {
    return this.#state;
  }

  /** 0 to 100, whole; `undefined` while the size is not known. */
  get percent(): number | undefined {
    const step = this.#state.status === 'running' ? this.#state.step : undefined;
    if (!step || step.totalBytes === 0) return undefined;
    return Math.min(100, Math.floor((step.doneBytes / step.totalBytes) * 100));
  }

  cancel(): void {
    this.#controller.abort();
  }

  /** Begins, or begins again after an end. Never rejects: the state says how it went. */
  async run(credentials?: Credentials): Promise<void> {
    this.#controller = new AbortController();
    this.#state = { status: 'running', step: undefined };
    this.#state = await this.#attempt(this.#controller.signal, credentials);
    this.#onEnd(this);
  }

  async #attempt(signal: AbortSignal, credentials: Credentials | undefined): Promise<TaskState> {
    try {
      const steps = this.#work({ signal, credentials });
      for (;;) {
        const { done, value } = await steps.next();
        if (done) return { status: 'done', text: value };
        this.#state = { status: 'running', step: value };
      }
    } catch (thrown) {
      if (signal.aborted) return { status: 'cancelled' };
      return { status: 'failed', error: toApiError(thrown) };
    }
  }
}

export class Tasks {
  readonly #onEnd: OnEnd;
  #list = $state.raw<readonly Task[]>([]);
  #lastId = 0;
  readonly #running = $derived(this.#list.filter((task) => task.state.status === 'running'));

  constructor({ onEnd }: { onEnd: OnEnd }) {
    this.#onEnd = onEnd;
  }

  /** The newest first. */
  get list(): readonly Task[] {
    return this.#list;
  }

  get running(): readonly Task[] {
    return this.#running;
  }

  start(plan: TaskPlan): Task {
    const task = new Task(++this.#lastId, plan, this.#onEnd);
    this.#list = [task, ...this.#list];
    void task.run();
    return task;
  }

  /** Takes one that has ended off the list. */
  clear(task: Task): void {
    if (task.state.status === 'running') return;
    this.#list = this.#list.filter((other) => other !== task);
  }
}
