// Tokens of a program outside the browser, through companion and socket, against the app's own channel in the tab.
import { interleave, median, printTable, ratios, spread } from './figures.mjs';
import { readAnswer } from './page/timing.mjs';
import { onStage } from './stage.mjs';

const shortRounds = 25;

export async function measure(app, { rounds, gguf, isTiny }) {
  const { long, short } = await onStage(
    app,
    { models: [{ name: 'bench/model', file: gguf }] },
    async (stage) => {
      const { from } = stage.model('bench/model');
      await stage.host.call('daemon.pullMs', from);
      await stage.host.call('daemon.preload', from);
      const ways = (max_tokens) => {
        const body = {
          model: from,
          stream: true,
          stream_options: { include_usage: true },
          temperature: 0,
          ignore_eos: true,
          max_tokens,
          messages: [{ role: 'user', content: 'Count to 30.' }],
        };
        const url = new URL('/engines/v1/chat/completions', stage.host.page.url());
        const init = { method: 'POST', body: JSON.stringify(body) };
        return {
          direct: () => stage.host.call('stream.direct', body),
          program: () => readAnswer(() => fetch(url, init)),
        };
      };
      await interleave(1, ways(8));
      const long = await interleave(rounds, ways(isTiny ? 1000 : 128));
      return { long, short: await interleave(shortRounds, ways(1)) };
    },
  );
  const rate = (name) => long[name].map((answer) => answer.tokensPerSecond);
  const first = (name) => short[name].map((answer) => answer.firstMs);
  const kept = ratios(rate('program'), rate('direct'));
  const added = first('program').map((ms, round) => ms - first('direct')[round]);
  const perToken = rate('program').map((value, round) => 1000 / value - 1000 / rate('direct')[round]);
  printTable(`Companion, ${long.program[0].tokens} tokens`, [
    { what: 'direct channel, tok/s', result: spread(rate('direct'), 1) },
    { what: 'program through the companion, tok/s', result: spread(rate('program'), 1) },
    { what: 'companion / direct', result: spread(kept, 3), goal: '≥ 0.950', met: median(kept) >= 0.95 },
    { what: 'added per token, ms', result: spread(perToken, 2), goal: '≤ 1.0', met: median(perToken) <= 1 },
    {
      what: 'added to the first token, ms',
      result: spread(added, 1),
      goal: '≤ 10.0',
      met: median(added) <= 10,
    },
  ]);
}
