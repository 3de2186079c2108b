/** OpenAI's list of models. */
import { describeForOpenAi } from '#lib/model/facts.ts';
import type { Library } from '#lib/runner/library/library.ts';
import type { Route } from '#lib/runner/router.ts';
import { json } from './respond.ts';

export function openAiModelRoutes(library: Library): readonly Route[] {
  return [
    {
      method: 'GET',
      pattern: '/engines/v1/models',
      handle: async () => {
        const models = await library.list();
        return json({
          object: 'list',
          data: models.map((model) => describeForOpenAi(library.describe(model))),
        });
      },
    },
    {
      method: 'GET',
      pattern: '/engines/v1/models/*',
      handle: async ({ rest }) => json(describeForOpenAi(library.describe(await library.get(rest)))),
    },
  ];
}
