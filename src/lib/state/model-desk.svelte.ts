/**
 * What a person does with models on the Models page: which dialog is open, and the verbs behind the menus, each with a
 * visible end.
 */
import { formatBytes } from '#lib/core/format.ts';
import type { App } from './app.svelte.ts';
import { loadWork, packageWork, pushWork, repairWork, type PackagePlan } from './model-work.ts';
import type { LocalModel } from './models.svelte.ts';
import { comparable, shortReference } from './names.ts';
import { PackageDraft, type PackageDraftOptions } from './package-draft.svelte.ts';
import type { Task } from './tasks.svelte.ts';

export type DeskDialog =
  | { readonly kind: 'delete' | 'tag' | 'push' | 'export'; readonly model: LocalModel }
  | { readonly kind: 'package'; readonly draft: PackageDraft }
  | { readonly kind: 'purge' };

type Verbs = Pick<App, 'client' | 'models' | 'tasks' | 'toasts'>;

/** The runner undoes for ten seconds; the offer must not outlive that. */
const undoMs = 9_500;

export class ModelDesk {
  readonly #app: Verbs;
  #dialog = $state.raw<DeskDialog>();

  constructor(app: Verbs) {
    this.#app = app;
  }

  get dialog(): DeskDialog | undefined {
    return this.#dialog;
  }

  show(dialog: DeskDialog): void {
    this.#dialog = dialog;
  }

  /** From nothing, from dropped GGUF files, or from a stored model. */
  showPackage(options: PackageDraftOptions = {}): void {
    this.#dialog = { kind: 'package', draft: new PackageDraft(options) };
  }

  close(): void {
    this.#dialog = undefined;
  }

  load(model: LocalModel): void {
    this.#report(this.#app.models.load(model.id));
  }

  unload({ runner }: LocalModel): void {
    if (runner) this.#report(this.#app.models.unload(runner));
  }

  /** For settings that take hold with the next load only. */
  reload(model: LocalModel): void {
    this.#report(this.#reload(model));
  }

  repair(model: LocalModel): Task {
    const work = repairWork(this.#app.client, model.id);
    return this.#app.tasks.start({ kind: 'repair', title: model.title, work });
  }

  /** Under a name that the model does not have yet, it gets that name first. Rejects when it cannot. */
  async push(model: LocalModel, name: string): Promise<Task> {
    const { client, models, tasks } = this.#app;
    const wanted = comparable(name);
    const isNew = !model.tags.some((tag) => comparable(tag) === wanted);
    if (isNew) await models.addTag(model.id, name);
    const title = shortReference(name);
    return tasks.start({ kind: 'push', title, work: pushWork(client, title) });
  }

  loadTar(file: File): Task {
    const work = loadWork(this.#app.client, file);
    return this.#app.tasks.start({ kind: 'load', title: file.name, work });
  }

  package(plan: PackagePlan): Task {
    const work = packageWork(this.#app.client, plan);
    return this.#app.tasks.start({ kind: 'package', title: shortReference(plan.target), work });
  }

  async addTag(model: LocalModel, name: string): Promise<void> {
    await this.#app.models.addTag(model.id, name);
    this.#app.toasts.say(`${model.title} has the name ${shortReference(name)} too.`);
  }

  /** One name, or all of them with the model. Rejects when it cannot; for ten seconds a toast offers the way back. */
  async remove(model: LocalModel, tag: string | undefined): Promise<void> {
    const { models } = this.#app;
    if (tag === undefined) {
      await models.remove(model.id);
      this.#offerUndo(`${model.title} is deleted.`, () => models.restore(model.id));
    } else {
      await models.removeTag(tag);
      this.#offerUndo(`The name ${shortReference(tag)} is removed.`, () => models.addTag(model.id, tag));
    }
  }

  /** One name at once, without a question: the way back is offered, and the files stay. */
  removeTag(model: LocalModel, tag: string): void {
    this.#report(this.remove(model, tag));
  }

  async purge(): Promise<void> {
    await this.#app.models.purge();
    this.#app.toasts.say('Every model is deleted.');
  }

  prune(): void {
    this.#report(this.#prune());
  }

  copy(text: string, said: string): void {
    this.#report(this.#copy(text, said));
  }

  async #reload(model: LocalModel): Promise<void> {
    const { models } = this.#app;
    if (model.runner) await models.unload(model.runner);
    await models.load(model.id);
  }

  async #prune(): Promise<void> {
    const { removed_blobs: files, freed_bytes: bytes } = await this.#app.models.prune();
    const found = `${files} leftover ${files === 1 ? 'file' : 'files'} removed, ${formatBytes(bytes)} freed.`;
    this.#app.toasts.say(files === 0 ? 'There is nothing to clean up.' : found);
  }

  async #copy(text: string, said: string): Promise<void> {
    await navigator.clipboard.writeText(text);
    this.#app.toasts.say(said);
  }

  #offerUndo(text: string, undo: () => Promise<void>): void {
    this.#app.toasts.offerFor(undoMs, text, { label: 'Undo', run: () => this.#report(undo()) });
  }

  #report(work: Promise<void>): void {
    void this.#app.toasts.report(work);
  }
}
