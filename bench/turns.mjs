// The second turn of a conversation, whose history is in the prompt cache, against the same conversation when nothing of
// it is.
import { interleave, median, printTable, ratios, spread } from './figures.mjs';
import { onStage } from './stage.mjs';

const historyTokens = 1000;
const goal = 0.15;

export async function measure(app, { rounds, ggufs }) {
  for (const { name, file } of ggufs) {
    const answers = await onStage(app, { models: [{ name: 'bench/model', file }] }, (stage) =>
      measureTurns(stage, rounds),
    );
    const first = (way) => answers[way].map(({ firstMs }) => firstMs);
    const kept = ratios(first('second'), first('cold'));
    const tokens = (way, field) => spread(answers[way].map((answer) => answer[field]));
    printTable(`Second turn, ${name}`, [
      { what: 'prompt tokens, cold', result: tokens('cold', 'promptTokens') },
      { what: 'prompt tokens of the second turn', result: tokens('second', 'promptTokens') },
      { what: '… of these cached', result: tokens('second', 'cachedTokens') },
      { what: 'first token, cold, ms', result: spread(first('cold')) },
      { what: 'first token of the second turn, ms', result: spread(first('second')) },
      {
        what: 'second turn / cold',
        result: spread(kept, 3),
        goal: `≤ ${goal.toFixed(3)}`,
        met: median(kept) <= goal,
      },
    ]);
  }
}

async function measureTurns({ host, model }, rounds) {
  const { from } = model('bench/model');
  await host.call('daemon.pullMs', from);
  await host.call('daemon.preload', from);
  const story = await textOf(host, from);
  const ask = (messages) =>
    host.call('stream.direct', {
      model: from,
      stream: true,
      stream_options: { include_usage: true },
      temperature: 0,
      max_tokens: 8,
      messages,
    });
  let conversations = 0;
  /** A number at the beginning, so that the cache has nothing of the story. */
  const opening = () => [{ role: 'user', content: `${++conversations}. ${story}` }];
  const next = (messages, text) => [
    ...messages,
    { role: 'assistant', content: text },
    { role: 'user', content: 'And then?' },
  ];
  return interleave(rounds, {
    cold: () => ask(next(opening(), 'They sailed on.')),
    second: async () => {
      const messages = opening();
      const { text } = await ask(messages);
      return ask(next(messages, text));
    },
  });
}

/** So many tokens of words; the vocabulary of a tiny model has few of them whole. */
async function textOf(host, model) {
  const sentence = 'The small ship went out to the wide sea and came home late. ';
  const each = (await host.call('daemon.countTokens', model, sentence.repeat(10))) / 10;
  return sentence.repeat(Math.max(1, Math.round(historyTokens / each))).trim();
}
