// Tokens that the app serves by its own channel, against the engine alone in a worker as the runner has it: llama.cpp on
// each GGUF, and web-llm on the tiny MLC model.
import { interleave, median, printTable, ratios, spread } from './figures.mjs';
import { withCoreSeconds } from './processes.mjs';
import { onStage } from './stage.mjs';

const goal = 0.98;
const warmTokens = 8;
const mlcTokens = 128;
const mlcFolder = '/bench/tiny-mlc';

export async function measure(app, { rounds, ggufs }) {
  for (const { name, file, isTiny } of ggufs) {
    const answers = await onStage(app, { models: [{ name: 'bench/model', file }] }, (stage) =>
      measureLlamaCpp(stage, rounds, isTiny ? 1000 : 128),
    );
    print(`Served, llama.cpp, ${name}`, 'wllama alone', answers);
  }
  const answers = await onStage(app, { models: [] }, (stage) => measureWebLlm(stage, rounds));
  print('Served, WebLLM, tiny', 'MLCEngine alone', answers);
}

async function measureLlamaCpp({ host, model, openTab }, rounds, tokens) {
  const { from, url } = model('bench/model');
  await host.call('daemon.pullMs', from);
  await host.call('daemon.preload', from);
  const plan = await host.call('daemon.plan', from);
  const other = await openTab();
  await other.call('bare.load', url, plan);
  return compare(rounds, tokens, {
    served: (body) => host.call('stream.direct', { ...body, model: from }),
    alone: (body) => other.call('bare.run', body),
  });
}

async function measureWebLlm({ host, openTab }, rounds) {
  const from = `${new URL(host.url).host}/sampan/tiny-mlc`;
  await host.call('daemon.pullMs', from);
  await host.call('daemon.preload', from);
  const contextSize = await host.call('daemon.contextSize', from);
  const other = await openTab();
  await other.call('mlc.load', mlcFolder, contextSize, 'cache');
  return compare(rounds, mlcTokens, {
    served: (body) => host.call('stream.direct', { ...body, model: from }),
    alone: (body) => other.call('mlc.run', body),
  });
}

async function compare(rounds, tokens, { served, alone }) {
  const ways = (max_tokens) => {
    const body = {
      stream: true,
      stream_options: { include_usage: true },
      temperature: 0,
      ignore_eos: true,
      max_tokens,
      messages: [{ role: 'user', content: 'Count to 30.' }],
    };
    return { served: () => measured(() => served(body)), alone: () => measured(() => alone(body)) };
  };
  await interleave(1, ways(warmTokens));
  return interleave(rounds, ways(tokens));
}

async function measured(run) {
  const { result, coreSeconds } = await withCoreSeconds(run);
  return { ...result, coreMsPerToken: (coreSeconds * 1000) / result.tokens };
}

function print(title, aloneName, answers) {
  const rate = (name) => answers[name].map(({ tokensPerSecond }) => tokensPerSecond);
  const cores = (name) => answers[name].map(({ coreMsPerToken }) => coreMsPerToken);
  const kept = ratios(rate('served'), rate('alone'));
  printTable(`${title}, ${answers.served[0].tokens} and ${answers.alone[0].tokens} tokens`, [
    { what: 'served by the app, tok/s', result: spread(rate('served'), 1) },
    { what: `${aloneName}, tok/s`, result: spread(rate('alone'), 1) },
    { what: 'served by the app, core ms per token', result: spread(cores('served'), 2) },
    { what: `${aloneName}, core ms per token`, result: spread(cores('alone'), 2) },
    {
      what: `served / ${aloneName}`,
      result: spread(kept, 3),
      goal: `≥ ${goal.toFixed(3)}`,
      met: median(kept) >= goal,
    },
  ]);
}
