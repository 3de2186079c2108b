import { expect, it } from 'vitest';
import type { FolderLibrary, MlcFolder } from './package-draft-folder.ts';
import { PackageDraft } from './package-draft.svelte.ts';

const file = (name: string) => new File(['x'], name);
const first = file('Qwen3-1.7B-Q4_K_M-00001-of-00002.gguf');
const second = file('Qwen3-1.7B-Q4_K_M-00002-of-00002.gguf');

it('takes shards in order and suggests a name', () => {
  const draft = new PackageDraft({ files: [second, first] });
  expect(draft.plan()).toEqual({
    target: 'docker.io/local/qwen3-1.7b:Q4_K_M',
    format: 'docker',
    weights: [first, second],
  });
});

it('does not change a name that was typed', () => {
  const draft = new PackageDraft({ files: [first] });
  draft.takeWeights([file('other.gguf')]);
  expect(draft.target).toBe('local/other');
  draft.target = 'local/mine';
  draft.takeWeights([first]);
  expect(draft.target).toBe('local/mine');
});

it('begins with a stored model, adds and leaves out parts', () => {
  const draft = new PackageDraft({ from: 'docker.io/ai/smollm2:latest' });
  const template = file('chat.jinja');
  draft.target = 'local/mine:v1';
  draft.takeChatTemplate(template);
  draft.leftOut.chatTemplate = true;
  draft.leftOut.projector = true;
  draft.takeLicenses([file('LICENSE')]);
  draft.contextSize = '8,192';
  expect(draft.plan()).toEqual({
    target: 'docker.io/local/mine:v1',
    format: 'docker',
    from: 'docker.io/ai/smollm2:latest',
    chatTemplate: template,
    projector: null,
    licenses: [expect.any(File)],
    contextSize: 8192,
  });
});

it('has no context size in ModelPack', () => {
  const draft = new PackageDraft({ files: [first] });
  draft.format = 'cncf';
  draft.contextSize = '8192';
  expect(draft.plan()).not.toHaveProperty('contextSize');
});

it.each([
  ['target', (draft: PackageDraft) => (draft.target = 'two words')],
  ['weights', (draft: PackageDraft) => draft.takeWeights([])],
  ['from', (draft: PackageDraft) => (draft.source = 'model')],
  ['context_size', (draft: PackageDraft) => (draft.contextSize = '1.5')],
])('says that %s is at fault', (param, spoil) => {
  const draft = new PackageDraft({ files: [first] });
  spoil(draft);
  if (draft.target === '') draft.target = 'local/mine';
  expect(() => draft.plan()).toThrow(expect.objectContaining({ param }));
});

function folderWith(library: FolderLibrary): MlcFolder {
  const files = [{ path: 'mlc-chat-config.json', file: file('mlc-chat-config.json') }];
  return {
    name: 'Tiny-q0f32-MLC',
    architecture: 'llama',
    quantization: 'q0f32',
    files,
    sizeBytes: 1,
    library,
  };
}

it('is made of a folder, in the one format there is for it', () => {
  const folder = folderWith({ kind: 'listed', reference: 'hf.co/mlc-ai/Tiny-q0f32-MLC' });
  const draft = new PackageDraft({ folder });
  draft.format = 'cncf';
  expect(draft.plan()).toEqual({
    target: 'docker.io/local/tiny:q0f32',
    format: 'docker',
    files: folder.files,
    libraryFrom: 'hf.co/mlc-ai/Tiny-q0f32-MLC',
  });
});

it.each([
  ['no folder', undefined, /Choose the folder/],
  ['a folder without a library', folderWith({ kind: 'none' }), /no model called “Tiny-q0f32-MLC”/],
])('says what is wrong with %s', (_, folder, message) => {
  const draft = new PackageDraft(folder && { folder });
  draft.source = 'folder';
  draft.target = 'local/mine';
  expect(() => draft.plan()).toThrow(message);
  expect(() => draft.plan()).toThrow(expect.objectContaining({ param: 'folder' }));
});
