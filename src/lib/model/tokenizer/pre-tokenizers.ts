/**
 * How text is cut before byte pairs are merged, by `tokenizer.ggml.pre`: what llama.cpp makes of each name
 * (`llama-vocab.cpp`). Tests hold the token counts against the engine's. Names that are not here are not known.
 */

export interface PreTokenizer {
  /** One after the other, each within what the one before has left. */
  readonly patterns: readonly string[];
  /** A piece that is a token as a whole is not merged. */
  readonly ignoreMerges?: true;
  /** Pieces are lines, with marks for spaces, instead of words whose bytes are written as letters. */
  readonly lines?: true;
  /** Text begins with BOS unless the file says otherwise. */
  readonly addBos?: true;
}

const contraction = "'s|'t|'re|'ve|'m|'ll|'d";
const anyCaseContraction = "(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])";
const spaces = String.raw`\s*[\r\n]+|\s+(?!\S)|\s+`;
const word = String.raw`[^\r\n\p{L}\p{N}]?\p{L}+`;
const symbols = String.raw` ?[^\s\p{L}\p{N}]+[\r\n]*`;
/** A letter that is no small, or no capital, one of ASCII: finer llama.cpp does not look. */
const capital = String.raw`(?:(?![a-z])\p{L})`;
const small = String.raw`(?:(?![A-Z])\p{L})`;
const asciiPunctuation = String.raw`[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_\x60{|}~]`;

const gpt2 = String.raw`${contraction}| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)`;
const llama3 = modern(String.raw`\p{N}{1,3}`);
const qwen2 = modern(String.raw`\p{N}`);
const marks = String.raw`${anyCaseContraction}|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|${spaces}`;
const deepseek3 = String.raw`${asciiPunctuation}[A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|${spaces}`;

function modern(numbers: string): string {
  return `${anyCaseContraction}|${word}|${numbers}|${symbols}|${spaces}`;
}

/** Words are cut where small letters are followed by capitals. */
function byCase(numbers: string, ending: string): string {
  const lead = String.raw`[^\r\n\p{L}\p{N}]?`;
  const slashes = String.raw` ?[^\s\p{L}\p{N}]+[\r\n/]*`;
  return `${lead}${capital}*${small}+${ending}|${lead}${capital}+${small}*${ending}|${numbers}|${slashes}|${spaces}`;
}

const digits = String.raw`\p{N}`;
const groups: readonly (readonly [PreTokenizer, readonly string[]])[] = [
  [
    { patterns: [llama3], ignoreMerges: true, addBos: true },
    [
      'llama3',
      'llama-v3',
      'llama-bpe',
      'falcon3',
      'falcon-h1',
      'pixtral',
      'midm-2.0',
      'lfm2',
      'jina-v5-nano',
    ],
  ],
  [{ patterns: [llama3] }, ['dbrx', 'smaug-bpe', 'glm4', 'chatglm-bpe']],
  [{ patterns: [qwen2] }, ['qwen2', 'deepseek-r1-qwen', 'megrez', 'stablelm2', 'hunyuan', 'solar-open']],
  [{ patterns: [marks] }, ['qwen35']],
  [{ patterns: [String.raw`[^\n]+|\n+`], lines: true }, ['gemma4']],
  [
    { patterns: [gpt2] },
    ['gpt-2', 'phi-2', 'mpt', 'olmo', 'jais', 'exaone4', 'mellum', 'trillion', 'granite-docling'],
  ],
  [
    { patterns: [digits, gpt2] },
    ['smollm', 'starcoder', 'refact', 'command-r', 'codeshell', 'exaone', 'minerva-7b', 'mellum2'],
  ],
  [{ patterns: [byCase(digits, '')], ignoreMerges: true, addBos: true }, ['tekken']],
  [
    { patterns: [byCase(String.raw`\p{N}{1,3}`, `${anyCaseContraction}?`)] },
    ['gpt-4o', 'llama4', 'kanana2', 'talkie', 'minimax-m2'],
  ],
  [
    { patterns: [String.raw`\p{N}{1,3}`, '[一-龥぀-ゟ゠-ヿ]+', deepseek3] },
    ['deepseek-v3', 'hunyuan-dense', 'joyai-llm'],
  ],
  [{ patterns: [String.raw`[\p{P}$+<=>^~|\x60]+`, gpt2, '[0-9][0-9][0-9]'] }, ['falcon']],
  [{ patterns: [String.raw`[\p{P}$+<=>^~|]+`, gpt2, String.raw`\p{N}+`, '[0-9][0-9][0-9]'] }, ['default']],
];

export const preTokenizers: ReadonlyMap<string, PreTokenizer> = new Map(
  groups.flatMap(([preTokenizer, names]) => names.map((name) => [name, preTokenizer] as const)),
);
