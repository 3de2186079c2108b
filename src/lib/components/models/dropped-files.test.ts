import { expect, it } from 'vitest';
import { sortDropped } from './dropped-files.ts';

const file = (name: string) => new File(['x'], name);

it('loads one tar, packages GGUF files', () => {
  expect(sortDropped([file('a.TAR')])).toMatchObject({ kind: 'tar' });
  expect(sortDropped([file('a-1.gguf'), file('a-2.GGUF')])).toMatchObject({ kind: 'gguf', files: [{}, {}] });
});

it.each([[[]], [['a.tar', 'b.tar']], [['a.gguf', 'b.tar']], [['a.safetensors']], [['gguf']]])(
  'refuses %j',
  (names) => {
    expect(() => sortDropped(names.map(file))).toThrow(
      expect.objectContaining({ code: 'unsupported_model_format' }),
    );
  },
);
