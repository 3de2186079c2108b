/** The fields of a model's settings as the form shows them: name, hint, and what can be chosen or typed. */
import { cacheTypes, modes, type SettingKey } from '#lib/state/settings-draft.svelte.ts';

interface Choice {
  readonly value: string;
  readonly label: string;
}

export interface SettingField {
  readonly key: SettingKey;
  readonly label: string;
  readonly hint: string;
  /** A choice; a field without it takes a number. */
  readonly choices?: readonly Choice[];
}

const onOff: readonly Choice[] = [
  { value: 'on', label: 'On' },
  { value: 'off', label: 'Off' },
];

const same = (values: readonly string[]): readonly Choice[] =>
  values.map((value) => ({ value, label: value }));

export const engineFields: readonly SettingField[] = [
  {
    key: 'keep_alive',
    label: 'Unload when idle',
    hint: 'Frees the memory for other models and tabs.',
    choices: [
      { value: '0', label: 'At once' },
      { value: '5m', label: 'After 5 minutes' },
      { value: '30m', label: 'After 30 minutes' },
      { value: '1h', label: 'After an hour' },
      { value: '-1', label: 'Never' },
    ],
  },
  {
    key: 'cache_type_k',
    label: 'Context cache, keys',
    hint: 'q8_0 takes half of what f16 takes; answers barely change.',
    choices: same(cacheTypes),
  },
  {
    key: 'cache_type_v',
    label: 'Context cache, values',
    hint: 'A smaller type than f16 needs flash attention.',
    choices: same(cacheTypes),
  },
  {
    key: 'flash_attention',
    label: 'Flash attention',
    hint: 'Less memory for long contexts.',
    choices: onOff,
  },
  { key: 'gpu_layers', label: 'Layers on the GPU', hint: 'The rest runs on the CPU, slower.' },
  { key: 'threads', label: 'CPU threads', hint: 'What runs on the CPU uses so many.' },
  { key: 'parallel', label: 'Requests at once', hint: 'They share the context; others wait.' },
  {
    key: 'ignore_fit',
    label: 'Load although too large',
    hint: 'By our estimate; the tab may run out of memory.',
    choices: onOff,
  },
  { key: 'mode', label: 'Mode', hint: 'What the model is loaded for.', choices: same(modes) },
];

export const thinkFields: readonly SettingField[] = [
  { key: 'think', label: 'Thinking', hint: 'For models that think before they answer.', choices: onOff },
  {
    key: 'think_budget',
    label: 'Thinking budget',
    hint: 'Tokens, then it must answer. -1 is without limit.',
  },
];

export const samplingFields: readonly SettingField[] = [
  { key: 'temperature', label: 'Temperature', hint: '0 always takes the likeliest token.' },
  { key: 'top_p', label: 'Top p', hint: 'Only the likeliest tokens that add up to this.' },
  { key: 'top_k', label: 'Top k', hint: 'Only so many of the likeliest tokens.' },
  { key: 'min_p', label: 'Min p', hint: 'Leaves out tokens less likely than this part of the best.' },
  { key: 'repeat_penalty', label: 'Repeat penalty', hint: '1 is none.' },
  { key: 'presence_penalty', label: 'Presence penalty', hint: 'Against any token that was there before.' },
  { key: 'frequency_penalty', label: 'Frequency penalty', hint: 'Grows with each repetition.' },
  { key: 'max_tokens', label: 'Longest answer', hint: 'In tokens.' },
  { key: 'seed', label: 'Seed', hint: 'The same seed gives the same answer.' },
];
