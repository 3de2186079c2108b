import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { parseMlcList } from '#lib/model/mlc-list.ts';
import { bestVariant, groupMlc, matchMlc, runsOn, twinOf, type MlcModel } from './catalog-mlc.ts';

const entries = parseMlcList(await readFile('static/mlc-models.json', 'utf8'));
const models = groupMlc(entries);

function model(stem: string): MlcModel {
  const found = models.find((each) => each.stem === stem);
  if (!found) throw new Error(`${stem} is not in the list.`);
  return found;
}

const labels = ({ variants }: MlcModel) => variants.map(({ label }) => label);
const find = (text: string) => models.filter((each) => matchMlc(each, text.split(' ')) !== undefined);

it('has every record of the list once, and each with a quantization', () => {
  const variants = models.flatMap(({ variants }) => variants);
  expect(variants.map(({ reference }) => reference).toSorted()).toEqual(
    entries.map(({ reference }) => reference).toSorted(),
  );
  expect(variants.filter(({ quantization }) => quantization === '')).toEqual([]);
  expect(new Set(models.map(({ name }) => name)).size).toBe(models.length);
});

it('puts the variants of one model together, the lightest first, and says what tells them apart', () => {
  expect(labels(model('gemma-2-2b-it'))).toEqual([
    'q4f16_1 · 1K context',
    'q4f32_1 · 1K context',
    'q4f16_1',
    'q4f32_1',
  ]);
  expect(labels(model('snowflake-arctic-embed-m'))).toEqual([
    'q0f32 · batches of 4',
    'q0f32 · batches of 32',
  ]);
});

it('names models as people write them', () => {
  expect(model('stablelm-2-zephyr-1_6b').name).toBe('Stablelm 2 zephyr 1.6B');
  expect(model('Llama-3.2-1B-Instruct').name).toBe('Llama 3.2 1B Instruct');
});

it('offers first what runs, with the whole context', () => {
  const gemma = model('gemma-2-2b-it');
  expect(bestVariant(gemma, undefined).label).toBe('q4f16_1');
  expect(bestVariant(gemma, { f16: true }).label).toBe('q4f16_1');
  expect(bestVariant(gemma, { f16: false }).label).toBe('q4f32_1');
  expect(bestVariant(model('SmolLM2-360M-Instruct'), { f16: true }).label).toBe('q4f16_1');
});

it('knows the twin for a GPU without 16-bit floats, with the same context where there is one', () => {
  const gemma = model('gemma-2-2b-it');
  const [short] = gemma.variants;
  expect(runsOn(short, { f16: false })).toBe(false);
  expect(runsOn(short, null)).toBe(false);
  expect(twinOf(gemma, short)?.label).toBe('q4f32_1 · 1K context');
  const alone = model('Mistral-7B-Instruct-v0.2');
  expect(twinOf(alone, alone.variants[0])).toBeUndefined();
});

it('finds by every word, of the model or of one variant', () => {
  expect(find('webllm')).toHaveLength(models.length);
  expect(find('embeddings').map(({ stem }) => stem)).toEqual([
    'snowflake-arctic-embed-m',
    'snowflake-arctic-embed-s',
  ]);
  expect(find('vision').map(({ stem }) => stem)).toEqual(['Phi-3.5-vision-instruct']);
  expect(matchMlc(model('gemma-2-2b-it'), ['gemma', 'q4f32'])).toMatchObject({
    reference: 'hf.co/mlc-ai/gemma-2-2b-it-q4f32_1-MLC:1k',
  });
  expect(find('hf.co/mlc-ai/gemma-2-2b-it-q4f32_1-mlc').map(({ stem }) => stem)).toEqual(['gemma-2-2b-it']);
  expect(find('gemma q9')).toEqual([]);
});
