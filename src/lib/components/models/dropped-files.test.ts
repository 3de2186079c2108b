import { expect, it } from 'vitest';
import { sortDropped } from './dropped-files.ts';

const file = (path: string) => ({ path, file: new File(['x'], path.slice(path.lastIndexOf('/') + 1)) });

it('loads one tar, packages GGUF files', () => {
  expect(sortDropped([file('a.TAR')])).toMatchObject({ kind: 'tar' });
  expect(sortDropped([file('a-1.gguf'), file('a-2.GGUF')])).toMatchObject({ kind: 'gguf', files: [{}, {}] });
});

it('packages a folder with an MLC model in it, whatever else is there', () => {
  const files = ['m/mlc-chat-config.json', 'm/a.bin', 'm/README.md'].map(file);
  expect(sortDropped(files)).toEqual({ kind: 'mlc', files });
});

it.each([[[]], [['a.tar', 'b.tar']], [['a.gguf', 'b.tar']], [['a.safetensors']], [['gguf']]])(
  'refuses %j',
  (names) => {
    expect(() => sortDropped(names.map(file))).toThrow(
      expect.objectContaining({ code: 'unsupported_model_format' }),
    );
  },
);
