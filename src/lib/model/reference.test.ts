import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ApiError } from '#lib/core/errors.ts';
import {
  canonicalReference,
  familiarReference,
  isModelId,
  parseReference,
  sameReference,
} from './reference.ts';

const hex = '0123456789abcdef'.repeat(4);
const canonical = (input: string, ownHost?: string) => canonicalReference(parseReference(input, { ownHost }));

describe('parseReference', () => {
  it.each([
    // The table of dmr-semantics section 1.
    ['smollm2', 'docker.io/ai/smollm2:latest'],
    ['smollm2:360M-Q4_K_M', 'docker.io/ai/smollm2:360M-Q4_K_M'],
    ['myorg/Model', 'docker.io/myorg/model:latest'],
    ['registry.example.com/model', 'registry.example.com/model:latest'],
    ['hf.co/Org/Repo-GGUF:Q8_0', 'huggingface.co/org/repo-gguf:Q8_0'],
    // Short names.
    ['ai/smollm2:latest', 'docker.io/ai/smollm2:latest'],
    ['myorg/model:v2', 'docker.io/myorg/model:v2'],
    ['  gemma3  ', 'docker.io/ai/gemma3:latest'],
    ['model:', 'docker.io/ai/model:latest'],
    ['myorg/model:', 'docker.io/myorg/model:latest'],
    ['abc123', 'docker.io/ai/abc123:latest'],
    ['MyModel:MixedCase', 'docker.io/ai/mymodel:MixedCase'],
    ['AI/SMOLLM2:135m-q4_1', 'docker.io/ai/smollm2:135m-q4_1'],
    // Docker Hub by its names.
    ['docker.io/ai/smollm2', 'docker.io/ai/smollm2:latest'],
    ['docker.io/smollm2', 'docker.io/ai/smollm2:latest'],
    ['index.docker.io/ai/smollm2', 'docker.io/ai/smollm2:latest'],
    ['registry-1.docker.io/ai/smollm2:x', 'docker.io/ai/smollm2:x'],
    // Registries: a dot, a port, localhost.
    ['registry.example.com/myorg/model:v1', 'registry.example.com/myorg/model:v1'],
    ['Registry.Example.com/a/b/c/d', 'registry.example.com/a/b/c/d:latest'],
    ['localhost/a', 'localhost/a:latest'],
    ['localhost:5000/a/b:v1', 'localhost:5000/a/b:v1'],
    ['127.0.0.1:5000/holdout/smol:v1', '127.0.0.1:5000/holdout/smol:v1'],
    ['models:8080/tiny', 'models:8080/tiny:latest'],
    ['[::1]:5000/tiny:v1', '[::1]:5000/tiny:v1'],
    // Hugging Face.
    ['hf.co/org/model', 'huggingface.co/org/model:latest'],
    ['huggingface.co/org/model:Q4_K_M', 'huggingface.co/org/model:Q4_K_M'],
    ['HF.co/org/model', 'huggingface.co/org/model:latest'],
    [
      'hf.co/bartowski/Llama-3.2-1B-Instruct-GGUF:Q8_0',
      'huggingface.co/bartowski/llama-3.2-1b-instruct-gguf:Q8_0',
    ],
    // Separators.
    ['a-b/c_d__e.f--g', 'docker.io/a-b/c_d__e.f--g:latest'],
    // Digests.
    [`ai/smollm2@sha256:${hex}`, `docker.io/ai/smollm2@sha256:${hex}`],
    [`ai/smollm2:v1@sha256:${hex}`, `docker.io/ai/smollm2@sha256:${hex}`],
    [`localhost:5000/a/b@sha256:${hex}`, `localhost:5000/a/b@sha256:${hex}`],
    // Almost an ID.
    ['1234567890AB', 'docker.io/ai/1234567890ab:latest'],
    ['1234567890ab:v1', 'docker.io/ai/1234567890ab:v1'],
  ])('reads %s as %s', (input, expected) => {
    expect(canonical(input)).toBe(expected);
  });

  it.each([
    ['', 'empty'],
    ['   ', 'empty'],
    ['123456789012', 'ID'],
    [hex, 'ID'],
    [`sha256:${hex}`, 'ID'],
    ['https://huggingface.co/org/model', 'leave out “https://”'],
    ['docker://ai/smollm2', 'leave out “docker://”'],
    ['my model', 'space'],
    ['ai/ bad', 'space'],
    ['ai/smollm2:bad tag', 'space'],
    ['a//b', 'empty'],
    ['/a', 'empty'],
    ['a/', 'empty'],
    ['docker.io/', 'empty'],
    ['ai/-model', '“-model”'],
    ['ai/model-', '“model-”'],
    ['ai/mo..del', '“mo..del”'],
    ['ai/mo___del', '“mo___del”'],
    ['ai/.model', '“.model”'],
    ['ai/mödel', '“mödel”'],
    ['ai/model?x=1', '“model?x=1”'],
    ['ai/../models', '“..”'],
    ['ai/model%2f', '“model%2f”'],
    ['ai/model:-tag', 'tag'],
    ['ai/model:.tag', 'tag'],
    ['ai/model:a:b', 'tag'],
    [`ai/model:${'t'.repeat(129)}`, 'tag'],
    ['ai/model@', 'sha256'],
    ['ai/model@sha256:abc', 'sha256'],
    [`ai/model@sha512:${hex}`, 'sha256'],
    [`ai/model@sha256:${hex.toUpperCase()}`, 'sha256'],
    [`ai/model@sha256:${hex}@sha256:${hex}`, 'sha256'],
    ['registry.example.com./a', 'host'],
    ['-registry.example.com/a', 'host'],
    ['registry.example.com:/a', 'host'],
    ['registry.example.com:port/a', 'host'],
    ['registry.example.com:123456/a', 'host'],
    ['user:pass@registry.example.com/a', 'sha256'],
    ['[::1/a', 'host'],
    [`ai/${'m'.repeat(250)}`, '255'],
  ])('refuses %j and says why', (input, why) => {
    expect(() => parseReference(input)).toThrow(why);
    expect(() => parseReference(input)).toThrow(expect.objectContaining({ code: 'invalid_reference' }));
  });

  it('takes names up to 255 characters and tags up to 128', () => {
    const name = 'm'.repeat(255 - 'docker.io/ai/'.length);
    const tag = 't'.repeat(128);
    expect(canonical(`ai/${name}:${tag}`)).toBe(`docker.io/ai/${name}:${tag}`);
  });

  it('keeps the typed case for the Hugging Face API', () => {
    const reference = parseReference('hf.co/Org/Repo-GGUF:Q8_0');
    expect(reference).toEqual({
      registry: 'huggingface.co',
      repository: 'org/repo-gguf',
      typedRepository: 'Org/Repo-GGUF',
      tag: 'Q8_0',
    });
  });

  it('keeps the tag beside a digest for display', () => {
    expect(parseReference(`ai/smollm2:v1@sha256:${hex}`)).toMatchObject({
      tag: 'v1',
      digest: `sha256:${hex}`,
    });
  });

  it('takes the own host as a registry even when it looks like an organisation', () => {
    expect(canonical('intranet/tiny', 'intranet')).toBe('intranet/tiny:latest');
    expect(canonical('intranet/tiny')).toBe('docker.io/intranet/tiny:latest');
  });

  it('never throws anything but an ApiError', () => {
    const nearMisses = fc.array(
      fc.constantFrom('ai', '/', ':', '@', '.', '-', 'sha256', 'A', '%', '[', ' ', '://'),
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string({ unit: 'binary' }),
          nearMisses.map((p) => p.join('')),
        ),
        (input) => {
          try {
            parseReference(input);
          } catch (thrown) {
            expect(thrown).toBeInstanceOf(ApiError);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });
});

// A first part with a dot is a host, and hosts have no underscores.
const firstComponent = fc.stringMatching(/^[A-Za-z0-9]{1,8}([.-][A-Za-z0-9]{1,8}){0,2}$/);
const component = fc.stringMatching(/^[A-Za-z0-9]{1,8}([._-][A-Za-z0-9]{1,8}){0,2}$/);
const reference = fc
  .record({
    host: fc.constantFrom(
      '',
      'docker.io/',
      'hf.co/',
      'localhost:5000/',
      'registry.example.com/',
      'docker.io/a.b/',
    ),
    path: fc
      .tuple(firstComponent, fc.array(component, { maxLength: 2 }))
      .map(([first, rest]) => [first, ...rest]),
    tag: fc.option(fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,20}$/)),
    digest: fc.boolean(),
  })
  .map(({ host, path, tag, digest }) => {
    const suffix = `${tag === null ? '' : `:${tag}`}${digest ? `@sha256:${hex}` : ''}`;
    return `${host}${path.join('/')}${suffix}`;
  })
  .filter((input) => !isModelId(input));

describe('canonicalReference', () => {
  it('is a fixed point of parsing', () => {
    fc.assert(
      fc.property(reference, (input) => {
        const once = canonical(input);
        expect(canonical(once)).toBe(once);
      }),
    );
  });
});

describe('familiarReference', () => {
  it.each([
    ['docker.io/ai/smollm2:135m-q4_1', 'ai/smollm2:135m-q4_1'],
    ['smollm2', 'ai/smollm2'],
    ['docker.io/holdout/two:latest', 'holdout/two'],
    ['hf.co/Org/Repo-GGUF:Q8_0', 'hf.co/org/repo-gguf:Q8_0'],
    ['localhost:5000/a/b:v1', 'localhost:5000/a/b:v1'],
    [`ai/smollm2@sha256:${hex}`, `ai/smollm2@sha256:${hex}`],
    ['docker.io/a.b/c', 'docker.io/a.b/c'],
  ])('prints %s as %s', (input, expected) => {
    expect(familiarReference(parseReference(input))).toBe(expected);
  });

  it('reads back as the same model', () => {
    fc.assert(
      fc.property(reference, (input) => {
        const parsed = parseReference(input);
        expect(sameReference(parseReference(familiarReference(parsed)), parsed)).toBe(true);
      }),
    );
  });
});

describe('sameReference', () => {
  it.each([
    ['smollm2', 'docker.io/ai/smollm2:latest', true],
    ['hf.co/Org/Repo', 'huggingface.co/org/repo', true],
    ['ai/smollm2:a', 'ai/smollm2:A', false],
    ['ai/smollm2', 'other/smollm2', false],
    ['localhost:5000/a/b', 'localhost:5001/a/b', false],
  ])('%s and %s: %s', (a, b, expected) => {
    expect(sameReference(parseReference(a), parseReference(b))).toBe(expected);
  });
});

describe('isModelId', () => {
  it.each([
    ['1234567890ab', true],
    [hex, true],
    [`sha256:${hex}`, true],
    ['12345', false],
    [`${hex}0`, false],
    ['12345678xyz9', false],
    ['1234567890AB', false],
    ['', false],
    ['sha256:', false],
    ['sha256:1234567890ab', false],
    [`sha512:${hex}`, false],
    [`sha256:${hex.toUpperCase()}`, false],
  ])('%s: %s', (input, expected) => {
    expect(isModelId(input)).toBe(expected);
  });
});
