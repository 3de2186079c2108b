import { describe, expect, it } from 'vitest';
import { describeApi } from '#lib/runner/openapi/document.ts';
import { problemOf } from './developers-body.ts';
import { endpointsOf, isTryable, matching } from './developers-endpoints.ts';

const document = describeApi(
  [
    { method: 'POST', pattern: '/engines/v1/chat/completions' },
    { method: 'GET', pattern: '/models' },
    { method: 'DELETE', pattern: '/models/*' },
    { method: 'POST', pattern: '/models/load' },
  ],
  { version: '1', origin: 'http://localhost', model: 'ai/tiny' },
);
const endpoints = endpointsOf(JSON.parse(JSON.stringify(document)));
const ids = (query: string) => matching(endpoints, query).map(({ id }) => id);

describe('the endpoints of the document', () => {
  it('are read with parameters, an example of a body, answers and other paths', () => {
    const chat = endpoints.find(({ id }) => id === 'createChatCompletion');
    expect(chat).toMatchObject({ method: 'POST', path: '/engines/v1/chat/completions', tag: 'OpenAI' });
    expect(chat?.aliases).toContain('/v1/chat/completions');
    expect(JSON.parse(chat?.body ?? '')).toMatchObject({ model: 'ai/tiny' });
    expect(chat?.answers.map(({ status }) => status)).toContain('404');
    expect(endpoints.find(({ id }) => id === 'deleteModel')?.parameters).toMatchObject([
      { name: 'ref', place: 'path', required: true },
      { name: 'force', place: 'query', required: false },
    ]);
  });

  it('are found by words of their path, method, parameters and summary, in any order', () => {
    expect(ids('CHAT post')).toEqual(['createChatCompletion']);
    expect(ids('force')).toEqual(['deleteModel']);
    expect(ids('/v1/chat')).toEqual(['createChatCompletion']);
    expect(ids('nothing like it')).toEqual([]);
    expect(ids('  ')).toHaveLength(endpoints.length);
  });

  it('can be tried where they only ask, and take no file', () => {
    expect(endpoints.filter(isTryable).map(({ id }) => id)).toEqual(['createChatCompletion', 'listModels']);
  });
});

describe('a body that is written by hand', () => {
  const chat = '/engines/v1/chat/completions';

  it.each([
    ['{"model": ', /not JSON yet/],
    ['[]', /JSON object/],
    ['{"model":"a"}', /“messages”/],
    ['{"model":"a","messages":[{"role":"user","content":"x"}],"top_p":7}', /“top_p”/],
    ['{"model":"a","messages":[{"role":"user","content":"x"}],"audio":{"voice":"a"}}', /“audio”/],
  ])('%s is judged as the runner would', (text, sentence) => {
    expect(problemOf(chat, text)).toMatch(sentence);
  });

  it('is free of problems when the runner would take it, and elsewhere when it is JSON', () => {
    expect(problemOf(`/v1${chat}`, '{"model":"a","messages":[{"role":"user","content":"x"}]}')).toBe(
      undefined,
    );
    expect(problemOf('/engines/v1/completions', '{"model":"a","prompt":"x"}')).toBe(undefined);
    expect(problemOf('/engines/unload', '{"all":true}')).toBe(undefined);
  });
});
