/** Pages of other origins: who may use the models. */
import { grantWish } from '#lib/runner/access/parse.ts';
import { grant } from '#lib/runner/openapi/answers/access.ts';
import { json, list, text, value, type OperationGroup } from '#lib/runner/openapi/operation.ts';

export const access: OperationGroup = {
  tag: 'Other origins',
  description: 'Which other sites may use the models. Only Sampan’s own pages may change it.',
  operations: [
    {
      on: 'GET /_sampan/grants',
      id: 'listGrants',
      summary: 'What was decided about other sites',
      answer: { status: 200, description: 'All decisions, with their use.', media: list(grant) },
    },
    {
      on: 'PUT /_sampan/grants',
      id: 'putGrant',
      summary: 'Allows a site, or blocks it',
      body: json(grantWish, () => ({
        origin: 'https://app.example',
        decision: 'always',
        models: 'all',
      })),
      answer: { status: 200, description: 'The decision.', media: value(grant) },
      errors: ['forbidden_origin'],
    },
    {
      on: 'DELETE /_sampan/grants',
      id: 'revokeGrant',
      summary: 'Takes a decision back',
      query: [{ ...text('origin', 'As the list has it.'), need: 'required' }],
      answer: { status: 204, description: 'It is gone.' },
      errors: ['forbidden_origin'],
    },
  ],
};
