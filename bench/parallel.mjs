// Four requests at once: what they get together against wllama's own four, and whether one waits for another's end.
import { interleave, median, printTable, ratios, spread } from './figures.mjs';
import { onStage } from './stage.mjs';

const atOnce = 4;
const prompts = ['Count to 30.', 'Tell me a story.', 'Who are you?', 'Say hello in Japanese.'];

export async function measure(app, { rounds, ggufs }) {
  for (const { name, file, isTiny } of ggufs) {
    const answers = await onStage(app, { models: [{ name: 'bench/model', file }] }, (stage) =>
      measureFour(stage, rounds, isTiny ? 250 : 48),
    );
    const kept = ratios(answers.served.map(together), answers.alone.map(together));
    const wait = answers.served.map(longestWait);
    printTable(`${atOnce} requests at once, ${name}`, [
      { what: 'one alone by the app, tok/s', result: spread(answers.one.map(together), 1) },
      { what: 'four by the app, together, tok/s', result: spread(answers.served.map(together), 1) },
      { what: 'four by wllama alone, together, tok/s', result: spread(answers.alone.map(together), 1) },
      {
        what: 'four by the app / by wllama alone',
        result: spread(kept, 3),
        goal: '≥ 0.980',
        met: median(kept) >= 0.98,
      },
      {
        what: 'last one to begin / first one to end',
        result: spread(wait, 3),
        goal: '< 1.000',
        met: Math.max(...wait) < 1,
      },
      { what: 'the same of wllama alone', result: spread(answers.alone.map(longestWait), 3) },
    ]);
  }
}

async function measureFour({ host, model, openTab }, rounds, max_tokens) {
  const { from, url } = model('bench/model');
  await host.call('daemon.pullMs', from);
  await host.call('daemon.configure', from, { parallel: atOnce });
  await host.call('daemon.preload', from);
  const plan = await host.call('daemon.plan', from);
  if (plan.inForce.parallel !== atOnce) throw new Error('The app does not answer four at once.');
  const other = await openTab();
  await other.call('bare.load', url, plan);
  const bodies = (tokens) =>
    prompts.map((content) => ({
      model: from,
      stream: true,
      stream_options: { include_usage: true },
      temperature: 0,
      ignore_eos: true,
      max_tokens: tokens,
      messages: [{ role: 'user', content }],
    }));
  const ways = (tokens) => ({
    one: () => host.call('stream.directAll', bodies(tokens).slice(0, 1)),
    served: () => host.call('stream.directAll', bodies(tokens)),
    alone: () => other.call('bare.runAll', bodies(tokens)),
  });
  await interleave(1, ways(4));
  return interleave(rounds, ways(max_tokens));
}

/** Tokens a second of all, from the asking to the last one's end. */
function together(answers) {
  const tokens = answers.reduce((sum, answer) => sum + answer.tokens, 0);
  return (tokens * 1000) / Math.max(...answers.map(({ lastMs }) => lastMs));
}

/** Below 1 each had begun before any had ended. */
function longestWait(answers) {
  return (
    Math.max(...answers.map(({ firstMs }) => firstMs)) / Math.min(...answers.map(({ lastMs }) => lastMs))
  );
}
