// Whether our builds of llama.cpp for the CPU say what native llama.cpp says: what they answer by themselves, and the token
// that they hold for the likeliest after every word of a text. Both round activations to eight bits, each in its own order
// of sums, so both are held against the same weights as floats, where nothing is rounded.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '#scripts/setup.mjs';
import { printTable } from './figures.mjs';
import { nativeTools } from './native.mjs';
import { onStage } from './stage.mjs';

const answerCount = 10;
const answerTokens = 64;
const forcedTokens = 2000;
/** Words after which a text begins anew, so that it fits the context of every model. */
const runWords = 150;
/** What chance makes of 2000 tokens: two standard deviations. */
const chance = 0.01;

const inForce = {
  context_size: 512,
  gpu_layers: 0,
  threads: 2,
  cache_type_k: 'f16',
  cache_type_v: 'f16',
  flash_attention: true,
  parallel: 1,
};

export async function measure(app, { ggufs }) {
  const tools = nativeTools();
  const scratch = await mkdtemp(join(tmpdir(), 'sampan-bench-agreement-'));
  try {
    for (const gguf of ggufs) {
      const floats = join(scratch, 'floats.gguf');
      const quantize = [join(tools, 'llama-quantize'), ['--allow-requantize', gguf.file, floats, 'F32']];
      execFileSync(...quantize, { stdio: 'ignore' });
      await measureModel(app, gguf, (file) => nativeTexts(tools, file ?? floats));
    }
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function measureModel(app, { name, file, isTiny }, native) {
  const { prompts, beginnings } = isTiny ? tinyTexts() : proseTexts();
  const tellBoth = async (tell) => ({
    answers: await tell(prompts, answerTokens),
    tokens: await tell(beginnings, 1),
  });
  const floats = await tellBoth(native());
  const quantized = { name: 'native', ...(await tellBoth(native(file))) };
  const own = await onStage(app, { models: [{ name: 'bench/model', file }] }, async ({ host, model }) => {
    const told = [];
    for (const build of (await host.call('builds.listBuilds')).filter(({ readsFiles }) => readsFiles)) {
      await host.call('bare.load', model('bench/model').url, { build, inForce });
      const tell = (texts, count) => host.call('bare.goOn', texts, count);
      told.push({ name: build.name, ...(await tellBoth(tell)) });
      await host.call('bare.unload');
    }
    return told;
  });

  const goal = share(quantized.tokens, floats.tokens) - chance;
  const rows = [quantized, ...own].flatMap((each) => {
    const agreed = share(each.tokens, floats.tokens);
    const isOwn = each !== quantized;
    return [
      {
        what: `${each.name} / floats, ${beginnings.length} tokens`,
        result: agreed.toFixed(3),
        ...(isOwn && { goal: `≥ ${goal.toFixed(3)}`, met: agreed >= goal }),
      },
      {
        what: `${each.name} / floats, answers of ${answerTokens} tokens`,
        result: `${count(each.answers, floats.answers)} of ${prompts.length}`,
      },
      ...(isOwn
        ? [{ what: `${each.name} / native, tokens`, result: share(each.tokens, quantized.tokens).toFixed(3) }]
        : []),
    ];
  });
  printTable(`Agreement, ${name}`, rows);
}

/** Of the texts that both could write. */
function share(some, others) {
  const written = some.map((_, i) => i).filter((i) => some[i] !== undefined && others[i] !== undefined);
  return count(
    written.map((i) => some[i]),
    written.map((i) => others[i]),
  ) / written.length; // prettier-ignore
}

function count(some, others) {
  return some.filter((text, i) => text === others[i]).length;
}

/** As `bare.goOn`, but for half a character, for which there is `undefined`. */
function nativeTexts(folder, file) {
  return (texts, tokens) => {
    const lines = execFileSync(join(folder, 'next-tokens'), [file, String(tokens), '1'], {
      input: texts.join('\0'),
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
    });
    return lines
      .split('\n')
      .slice(0, texts.length)
      .map((line) => textOf(Buffer.from(line.replaceAll(' ', ''), 'hex')));
  };
}

function textOf(bytes) {
  const text = bytes.toString();
  return text.endsWith('\ufffd') ? undefined : text;
}

/** What the tiny model learned. */
function tinyTexts() {
  const known = JSON.parse(readFileSync(join(root, 'tests', 'fixtures', 'prompts.json'), 'utf8'));
  const prompts = known.map(({ prompt }) => `<|im_start|>user\n${prompt}<|im_end|>\n<|im_start|>assistant\n`);
  const texts = known.map(({ reply }, i) => prompts[i] + reply);
  return { prompts: prompts.slice(0, answerCount), beginnings: texts.flatMap(beginningsOf) };
}

/** Our own prose. */
function proseTexts() {
  const decisions = readdirSync(join(root, 'docs', 'decisions')).map((page) =>
    join('docs', 'decisions', page),
  );
  const pages = ['docs/architecture.md', ...decisions];
  const prose = pages.map((page) => readFileSync(join(root, page), 'utf8').replaceAll(/```[^]*?```/g, ''));
  const words = prose.join(' ').split(/\s+/);
  const runs = Array.from({ length: Math.ceil(words.length / runWords) }, (_, i) =>
    words.slice(i * runWords, (i + 1) * runWords).join(' '),
  );
  const prompts = runs.slice(0, answerCount).map((run) => run.split(' ').slice(0, 12).join(' '));
  return { prompts, beginnings: runs.flatMap(beginningsOf).slice(0, forcedTokens) };
}

/** The text up to the end of each word: a cut within a word would be other tokens than the word has. */
function beginningsOf(text) {
  return [...text.matchAll(/\S+/g)].map(({ index, 0: word }) => text.slice(0, index + word.length));
}
