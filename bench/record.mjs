// What recording a request costs it: the same answer with a record of it and without, in turns.
import { interleave, median, printTable, ratios, spread } from './figures.mjs';
import { onStage } from './stage.mjs';

const unrecorded = { 'x-sampan-record': 'off' };

export async function measure(app, { rounds, gguf, isTiny }) {
  const answers = await onStage(app, { models: [{ name: 'bench/model', file: gguf }] }, async (stage) => {
    const { from } = stage.model('bench/model');
    await stage.host.call('daemon.pullMs', from);
    await stage.host.call('daemon.preload', from);
    const body = {
      model: from,
      stream: true,
      stream_options: { include_usage: true },
      temperature: 0,
      ignore_eos: true,
      max_tokens: isTiny ? 1000 : 128,
      messages: [{ role: 'user', content: 'Count to 30.' }],
    };
    const ways = {
      with: () => stage.host.call('stream.direct', body),
      without: () => stage.host.call('stream.direct', body, unrecorded),
    };
    await interleave(1, ways);
    return interleave(rounds, ways);
  });
  const rate = (name) => answers[name].map((answer) => answer.tokensPerSecond);
  const kept = ratios(rate('with'), rate('without'));
  printTable(`Recording, ${answers.with[0].tokens} tokens`, [
    { what: 'with a record, tok/s', result: spread(rate('with'), 1) },
    { what: 'without, tok/s', result: spread(rate('without'), 1) },
    { what: 'with / without', result: spread(kept, 3), goal: '≥ 0.980', met: median(kept) >= 0.98 },
  ]);
}
