import { expect, it, vi } from 'vitest';
import { page } from 'vitest/browser';
import { render } from 'vitest-browser-svelte';
import { ApiError } from '#lib/core/errors.ts';
import type { MlcFolder } from '#lib/state/package-draft-folder.ts';
import { PackageDraft } from '#lib/state/package-draft.svelte.ts';
import PackageDialog from './PackageDialog.svelte';
import { localSample } from './testing/model-samples.ts';

async function setUp(draft = new PackageDraft()) {
  const onPackage = vi.fn();
  const readFolder = () =>
    Promise.reject(new ApiError('unsupported_model_format', 'This folder lacks a.bin.'));
  await render(PackageDialog, { models: [localSample()], draft, readFolder, onPackage, onClose: vi.fn() });
  return { onPackage, submit: page.getByRole('button', { name: 'Package', exact: true }) };
}

const gguf = new File(['weights'], 'Tiny-Q8_0.gguf');

it('is filled in for dropped files and packages them', async () => {
  const { onPackage, submit } = await setUp(new PackageDraft({ files: [gguf] }));
  await expect.element(page.getByRole('dialog')).toHaveTextContent('Tiny-Q8_0.gguf');
  await expect
    .element(page.getByRole('textbox', { name: 'Name of the new model' }))
    .toHaveValue('local/tiny:Q8_0');
  await page.getByRole('radio', { name: 'ModelPack' }).click();
  await submit.click();
  expect(onPackage).toHaveBeenCalledExactlyOnceWith({
    target: 'docker.io/local/tiny:Q8_0',
    format: 'cncf',
    weights: [gguf],
  });
});

it('picks files, and takes one out again', async () => {
  const { onPackage, submit } = await setUp();
  await page.getByLabelText('Weights').upload(gguf);
  await expect.element(page.getByRole('textbox', { name: 'Name' })).toHaveValue('local/tiny:Q8_0');
  await page.getByRole('button', { name: 'Take out Tiny-Q8_0.gguf' }).click();
  await page.getByRole('textbox', { name: 'Name' }).fill('local/mine');
  await submit.click();
  expect(onPackage).not.toHaveBeenCalled();
  await expect
    .element(page.getByLabelText('Weights'))
    .toHaveAccessibleDescription('Choose the GGUF file; several when it is in parts.');
});

it('takes a stored model with another context size', async () => {
  const { onPackage, submit } = await setUp(new PackageDraft({ from: 'docker.io/ai/smollm2:latest' }));
  await page.getByRole('textbox', { name: 'Name' }).fill('local/small');
  await page.getByRole('textbox', { name: 'Context size' }).fill('2048');
  await page.getByRole('checkbox', { name: /projector/ }).click();
  await submit.click();
  expect(onPackage).toHaveBeenCalledExactlyOnceWith({
    target: 'docker.io/local/small:latest',
    format: 'docker',
    from: 'docker.io/ai/smollm2:latest',
    projector: null,
    contextSize: 2048,
  });
});

it('says at the name what is wrong with it', async () => {
  const { submit } = await setUp(new PackageDraft({ files: [gguf] }));
  await page.getByRole('textbox', { name: 'Name' }).fill('two words');
  await submit.click();
  await expect
    .element(page.getByRole('textbox', { name: 'Name' }))
    .toHaveAccessibleDescription(/has a space in it/);
});

const folder: MlcFolder = {
  name: 'Tiny-q0f32-MLC',
  architecture: 'llama',
  quantization: 'q0f32',
  files: [{ path: 'mlc-chat-config.json', file: new File(['{}'], 'mlc-chat-config.json') }],
  sizeBytes: 2_900_000,
  library: { kind: 'listed', reference: 'hf.co/mlc-ai/Tiny-q0f32-MLC' },
};

it('packages a dropped MLC folder and says where its library comes from', async () => {
  const { onPackage, submit } = await setUp(new PackageDraft({ folder }));
  const dialog = page.getByRole('dialog');
  await expect.element(dialog).toHaveTextContent('that of hf.co/mlc-ai/Tiny-q0f32-MLC is downloaded for it');
  await expect.element(page.getByRole('group', { name: 'Format' })).not.toBeInTheDocument();
  await submit.click();
  expect(onPackage).toHaveBeenCalledExactlyOnceWith({
    target: 'docker.io/local/tiny:q0f32',
    format: 'docker',
    files: folder.files,
    libraryFrom: 'hf.co/mlc-ai/Tiny-q0f32-MLC',
  });
});

it('says at the folder that it has no library', async () => {
  const { onPackage, submit } = await setUp(
    new PackageDraft({ folder: { ...folder, library: { kind: 'none' } } }),
  );
  await submit.click();
  expect(onPackage).not.toHaveBeenCalled();
  await expect
    .element(page.getByLabelText('Folder', { exact: true }))
    .toHaveAccessibleDescription(/no compiled library \(\.wasm\)/);
});
