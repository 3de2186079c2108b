import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import {
  describeCapabilities,
  ggufCapabilities,
  mlcCapabilities,
  type Capabilities,
} from './capabilities.ts';
import { parseGgufHeader } from './gguf.ts';
import type { GgufValue } from './gguf-cursor.ts';

const header = (entries: Readonly<Record<string, GgufValue>>) => new Map(Object.entries(entries));

function fillKeys(...keys: string[]): Record<string, GgufValue> {
  return Object.fromEntries(keys.map((key, id) => [`tokenizer.ggml.${key}_token_id`, id]));
}

/** Those that are true, by name. */
function names(capabilities: Capabilities): string[] {
  return Object.entries(capabilities).flatMap(([name, can]) => (can ? [name] : []));
}

describe('the capabilities of a GGUF model', () => {
  it.each<[string, Record<string, GgufValue>, string[]]>([
    ['a plain decoder', { 'general.architecture': 'llama' }, ['chat']],
    ['no architecture at all', {}, ['chat']],
    ['an encoder', { 'general.architecture': 'bert' }, ['embedding']],
    [
      'an encoder with a mean pooling',
      { 'general.architecture': 'nomic-bert', 'nomic-bert.pooling_type': 1 },
      ['embedding'],
    ],
    ['an encoder that ranks', { 'general.architecture': 'bert', 'bert.pooling_type': 4 }, ['rerank']],
    [
      'a decoder trained to embed',
      { 'general.architecture': 'qwen3', 'qwen3.pooling_type': 3 },
      ['embedding'],
    ],
    ['a decoder trained to rank', { 'general.architecture': 'qwen3', 'qwen3.pooling_type': 4 }, ['rerank']],
    [
      'a decoder that says it pools nothing',
      { 'general.architecture': 'llama', 'llama.pooling_type': 0 },
      ['chat'],
    ],
    [
      'a decoder without a causal mask',
      { 'general.architecture': 'llama', 'llama.attention.causal': false },
      ['embedding'],
    ],
    ['a diffusion model', { 'general.architecture': 'llada', 'llada.attention.causal': false }, []],
    [
      'a pooling of a wrong type',
      { 'general.architecture': 'llama', 'llama.pooling_type': 'rank' },
      ['chat'],
    ],
  ])('of %s', (_, entries, expected) => {
    expect(names(ggufCapabilities(header(entries)))).toEqual(expected);
  });

  it.each<[string, string, string[]]>([
    ['reads the list of tools', '{% if tools %}{{ tools | tojson }}{% endif %}', ['chat', 'tools']],
    ['loops over tools', '{%- for tool in tools -%}{{ {"a": tool} }}{%- endfor -%}', ['chat', 'tools']],
    ['only speaks of tools', 'You have no tools. {{ messages[0]["content"] }}{{ "tools" }}', ['chat']],
    ['closes a thought', "{{ content.split('</think>') }}", ['chat', 'reasoning']],
    ['has a switch for thinking', '{% if enable_thinking is false %}x{% endif %}', ['chat', 'reasoning']],
    ['is empty', '', ['chat']],
    ['is damaged', '{% if tools', ['chat']],
  ])('whose template %s', (_, template, expected) => {
    const entries = { 'general.architecture': 'llama', 'tokenizer.chat_template': template };
    expect(names(ggufCapabilities(header(entries)))).toEqual(expected);
  });

  it('follow the template in force, not the one inside', () => {
    const inside = header({ 'general.architecture': 'llama', 'tokenizer.chat_template': '{{ tools }}' });
    expect(names(ggufCapabilities(inside, { template: '{{ messages }}' }))).toEqual(['chat']);
  });

  it('are those of its projector', () => {
    const llama = header({ 'general.architecture': 'llama' });
    const seeing = header({ 'clip.has_vision_encoder': true });
    const hearing = header({ 'clip.has_vision_encoder': true, 'clip.has_audio_encoder': true });
    expect(names(ggufCapabilities(llama, { projector: seeing }))).toEqual(['chat', 'vision']);
    expect(names(ggufCapabilities(llama, { projector: hearing }))).toEqual(['chat', 'vision', 'audio']);
  });

  it.each<[string, Record<string, GgufValue>, string[], boolean]>([
    ['by the keys of today', fillKeys('fim_pre', 'fim_suf', 'fim_mid'), [], true],
    ['by the keys of yesterday', fillKeys('prefix', 'suffix', 'middle'), [], true],
    ['not by a part of them', fillKeys('fim_pre', 'fim_suf'), [], false],
    ['by the names of tokens', {}, ['a', '<|fim_prefix|>', '<|fim_suffix|>', '<|fim_middle|>'], true],
    ['not by a part of them', {}, ['<|fim_prefix|>', '<|fim_suffix|>', '<fim_middle>'], false],
  ])('are known to fill in %s', (_, entries, tokens, expected) => {
    const metadata = header({ 'general.architecture': 'llama', ...entries });
    expect(ggufCapabilities(metadata, { tokens }).fim).toBe(expected);
  });

  it('are those of the fixture', async () => {
    const { metadata } = await parseGgufHeader(await readFile('tests/fixtures/tiny.gguf'));
    expect(names(ggufCapabilities(metadata))).toEqual(['chat']);
    for (const [file, sense] of [
      ['eye', 'vision'],
      ['ear', 'audio'],
    ]) {
      const projector = await parseGgufHeader(await readFile(`tests/fixtures/mmproj-${file}.gguf`));
      const seen = ggufCapabilities(metadata, { projector: projector.metadata });
      expect(names(seen)).toEqual(['chat', sense]);
    }
  });
});

describe('the capabilities of an MLC model', () => {
  it.each<[string, string | undefined, string[]]>([
    ['llama', undefined, ['chat']],
    ['qwen3', '{{ tools }}<think>', ['chat', 'tools', 'reasoning']],
    ['phi3_v', undefined, ['chat', 'vision']],
    ['gemma3_v', undefined, ['chat']],
    ['bert', '{{ tools }}', ['embedding']],
  ])('of the type %s with the template %s', (architecture, template, expected) => {
    expect(names(mlcCapabilities({ architecture }, template))).toEqual(expected);
  });
});

describe('describeCapabilities', () => {
  const none = mlcCapabilities({ architecture: 'bert' });

  it.each<[Partial<Capabilities>, string]>([
    [{}, 'This model makes embeddings.'],
    [{ embedding: false, rerank: true }, 'This model ranks documents.'],
    [
      { embedding: false, chat: true, tools: true },
      'This model answers chats and completions and calls tools.',
    ],
    [
      { embedding: false, chat: true, vision: true, fim: true },
      'This model answers chats and completions, sees images and fills in the middle of a text.',
    ],
    [{ embedding: false }, 'This model does nothing that is served here.'],
  ])('says %j as a sentence', (changes, sentence) => {
    expect(describeCapabilities({ ...none, ...changes })).toBe(sentence);
  });
});
