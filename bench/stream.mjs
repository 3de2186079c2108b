// Tokens through the service worker in a second tab, through the app's own channel, and out of wllama alone.
import { interleave, median, printTable, ratios, spread } from './figures.mjs';
import { withCoreSeconds } from './processes.mjs';
import { onStage } from './stage.mjs';

const shortRounds = 25;
const shortTokens = 1;
const warmTokens = 8;

export async function measure(app, { rounds, gguf, isTiny }) {
  const { long, short } = await onStage(app, { models: [{ name: 'bench/model', file: gguf }] }, (stage) =>
    measureAnswers(stage, { rounds, ...(isTiny ? tinyRequest : realRequest) }),
  );
  const rate = (name) => long[name].map((answer) => answer.tokensPerSecond);
  const cores = (name) => long[name].map((answer) => (answer.coreSeconds * 1000) / answer.tokens);
  const first = (name) => short[name].map((answer) => answer.firstMs);
  const overall = ratios(rate('serviceWorker'), rate('bare'));
  const added = first('serviceWorker').map((ms, round) => ms - first('direct')[round]);
  printTable(`Stream of ${long.bare[0].tokens} tokens`, [
    { what: 'wllama alone, tok/s', result: spread(rate('bare'), 1) },
    { what: 'direct channel, tok/s', result: spread(rate('direct'), 1) },
    { what: 'service worker in a second tab, tok/s', result: spread(rate('serviceWorker'), 1) },
    {
      what: 'service worker / wllama alone',
      result: spread(overall, 3),
      goal: '≥ 0.970',
      met: median(overall) >= 0.97,
    },
    {
      what: 'service worker / direct channel',
      result: spread(ratios(rate('serviceWorker'), rate('direct')), 3),
    },
    { what: 'direct channel / wllama alone', result: spread(ratios(rate('direct'), rate('bare')), 3) },
    { what: 'wllama alone, core ms per token', result: spread(cores('bare'), 2) },
    { what: 'direct channel, core ms per token', result: spread(cores('direct'), 2) },
    { what: 'service worker, core ms per token', result: spread(cores('serviceWorker'), 2) },
    { what: 'first token, wllama alone, ms', result: spread(first('bare'), 1) },
    { what: 'first token, direct channel, ms', result: spread(first('direct'), 1) },
    { what: 'first token, service worker, ms', result: spread(first('serviceWorker'), 1) },
    {
      what: 'service worker adds to the first token, ms',
      result: spread(added, 1),
      goal: '≤ 5.0',
      met: median(added) <= 5,
    },
  ]);
}

/** What the tiny model answers at length; it has been taught to count. */
const tinyRequest = { content: 'Count to 30.', maxTokens: 200 };
const realRequest = { content: 'Tell me a long story about a small ship and the wide sea.', maxTokens: 64 };

async function measureAnswers({ host, model, openTab }, { rounds, content, maxTokens }) {
  const { from, url } = model('bench/model');
  await host.call('daemon.pullMs', from);
  await host.call('daemon.preload', from);
  const second = await openTab();
  const third = await openTab();
  await third.call('bare.load', url, await host.call('daemon.plan', from));
  const ways = (max_tokens) => {
    const body = {
      model: from,
      stream: true,
      stream_options: { include_usage: true },
      temperature: 0,
      max_tokens,
      messages: [{ role: 'user', content }],
    };
    const measured = async (tab, name) => {
      const { result, coreSeconds } = await withCoreSeconds(() => tab.call(name, body));
      return { ...result, coreSeconds };
    };
    return {
      bare: () => measured(third, 'bare.run'),
      direct: () => measured(host, 'stream.direct'),
      serviceWorker: () => measured(second, 'stream.serviceWorker'),
    };
  };
  await interleave(1, ways(warmTokens));
  const long = await interleave(rounds, ways(maxTokens));
  return { long, short: await interleave(shortRounds, ways(shortTokens)) };
}
