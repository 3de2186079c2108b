// A program outside the browser, through companion and socket: its tokens against the app's own channel in the tab, an
// upload, and many requests one after the other (gateway-load.mjs).
import { request } from 'node:http';
import { interleave, median, printTable, ratios, spread } from './figures.mjs';
import { measureRequests, measureUpload } from './gateway-load.mjs';
import { Timing } from './page/timing.mjs';
import { withCoreSeconds } from './processes.mjs';
import { onStage } from './stage.mjs';

const shortRounds = 25;

export async function measure(app, options) {
  await measureAnswers(app, options);
  await measureUpload(app, options);
  await measureRequests(app, options);
}

async function measureAnswers(app, { rounds, gguf, isTiny }) {
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
        const url = new URL('/engines/v1/chat/completions', stage.host.url);
        return {
          direct: () => measured(() => stage.host.call('stream.direct', body)),
          program: () => measured(() => readLean(url, JSON.stringify(body))),
        };
      };
      await interleave(1, ways(8));
      const long = await interleave(rounds, ways(isTiny ? 1000 : 128));
      return { long, short: await interleave(shortRounds, ways(1)) };
    },
  );
  const rate = (name) => long[name].map((answer) => answer.tokensPerSecond);
  const cores = (name) => long[name].map(({ coreSeconds, tokens }) => (coreSeconds * 1000) / tokens);
  const first = (name) => short[name].map((answer) => answer.firstMs);
  const kept = ratios(rate('program'), rate('direct'));
  const added = first('program').map((ms, round) => ms - first('direct')[round]);
  const perToken = rate('program').map((value, round) => 1000 / value - 1000 / rate('direct')[round]);
  printTable(`Companion, ${long.program[0].tokens} tokens`, [
    { what: 'direct channel, tok/s', result: spread(rate('direct'), 1) },
    { what: 'program through the companion, tok/s', result: spread(rate('program'), 1) },
    { what: 'direct channel, core ms per token', result: spread(cores('direct'), 2) },
    { what: 'program, core ms per token', result: spread(cores('program'), 2) },
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

async function measured(run) {
  const { result, coreSeconds } = await withCoreSeconds(run);
  return { ...result, coreSeconds };
}

/**
 * A streamed answer as a lean program reads it. Node's `fetch` and web streams take three times the processor time for a
 * token, which on few cores is taken from the engine and would be counted as the companion's.
 */
async function readLean(url, body) {
  const timing = new Timing();
  const sent = request(url, { method: 'POST' });
  const answered = new Promise((resolve, reject) => sent.on('response', resolve).on('error', reject));
  sent.end(body);
  const response = await answered;
  response.setEncoding('utf8');
  if (response.statusCode !== 200) throw new Error((await response.toArray()).join(''));
  return new Promise((resolve, reject) => {
    let rest = '';
    response.on('data', (text) => {
      const events = (rest + text).split('\n\n');
      rest = events.pop();
      for (const event of events) if (event.startsWith('data: {')) timing.mark(JSON.parse(event.slice(6)));
    });
    response.on('end', () => resolve(timing.toJSON()));
    response.on('error', reject);
  });
}
