/** Docker Model Runner's management of models. */
import { createBody, repackageBody } from '#lib/runner/endpoints/models.ts';
import { signIn } from '#lib/runner/endpoints/body.ts';
import {
  deletion,
  inspectedModel,
  model,
  progress,
  repackaged,
  tagged,
} from '#lib/runner/openapi/answers/models.ts';
import {
  flag,
  json,
  list,
  text,
  value,
  type Answer,
  type Body,
  type OperationGroup,
} from '#lib/runner/openapi/operation.ts';
import { asksRegistry, findsModel, storesModel } from './refusals.ts';

const progressLines: Answer = {
  status: 200,
  description:
    'Progress while it goes on, one JSON text a line; the last line is of type `success` or `error`. What fails before the first line is an HTTP error. With `Accept: application/json` exactly the lines are as they are, else their HTML characters are escaped.',
  media: {
    'text/plain': { is: 'lines', of: progress },
    'application/json': { is: 'lines', of: progress },
  },
};

const tar: Body = { need: 'required', media: { 'application/x-tar': { is: 'bytes' } } };

export const models: OperationGroup = {
  tag: 'Models',
  description: 'Docker Model Runner’s management of models.',
  operations: [
    {
      on: 'GET /models',
      id: 'listModels',
      summary: 'Lists the stored models',
      answer: { status: 200, description: 'All of them.', media: list(model) },
    },
    {
      on: 'POST /models/create',
      id: 'pullModel',
      summary: 'Pulls a model from its registry',
      description: 'When the last client that follows a pull leaves, the pull pauses with what it has.',
      body: json(createBody, (ref) => ({ from: ref })),
      answer: progressLines,
      errors: [...asksRegistry, ...storesModel],
    },
    {
      on: 'GET /models/{ref}',
      id: 'getModel',
      summary: 'One model',
      description: 'A bare word finds a model by the last part of its name too.',
      query: [flag('remote', 'Asks the registry instead; not a byte of weights is fetched.')],
      answer: { status: 200, description: 'The model.', media: value(inspectedModel) },
      errors: asksRegistry,
    },
    {
      on: 'DELETE /models/{ref}',
      id: 'deleteModel',
      summary: 'Removes a name, and with the last name the model',
      query: [flag('force', 'Deletes a model with several names by its id.')],
      answer: { status: 200, description: 'What was removed.', media: list(deletion) },
      errors: [...findsModel, 'conflict'],
    },
    {
      on: 'POST /models/{ref}/tag',
      id: 'tagModel',
      summary: 'Gives a model one more name',
      query: [
        { ...text('repo', 'The name without its tag.'), need: 'required' },
        { ...text('tag', 'The tag.'), need: 'required' },
      ],
      answer: { status: 201, description: 'The new name.', media: value(tagged) },
      errors: findsModel,
    },
    {
      on: 'POST /models/{ref}/push',
      id: 'pushModel',
      summary: 'Sends a model to the registry that its name says',
      body: { need: 'optional', media: value(signIn, () => ({ 'bearer-token': 'the registry’s token' })) },
      answer: progressLines,
      errors: asksRegistry,
    },
    {
      on: 'POST /models/{ref}/repackage',
      id: 'repackageModel',
      summary: 'Makes a model of the same files with another context size',
      body: json(repackageBody, () => ({ target: 'my/model:8k', context_size: 8192 })),
      answer: { status: 201, description: 'The new name.', media: value(repackaged) },
      errors: [...findsModel, ...storesModel, 'conflict'],
    },
    {
      on: 'GET /models/{ref}/export',
      id: 'exportModel',
      summary: 'A model as a tar',
      answer: {
        status: 200,
        description: 'An attachment that `POST /models/load` takes.',
        media: { 'application/x-tar': { is: 'bytes' } },
      },
      errors: [...findsModel, 'digest_mismatch'],
    },
    {
      on: 'POST /models/load',
      id: 'loadModel',
      summary: 'Stores a model from a tar',
      query: [text('name', 'A name for the model.')],
      body: tar,
      answer: progressLines,
      errors: ['invalid_reference', ...storesModel, 'digest_mismatch'],
    },
    {
      on: 'DELETE /models/purge',
      id: 'purgeModels',
      summary: 'Deletes every model',
      answer: { status: 200, description: 'Nothing is left.' },
    },
  ],
};
