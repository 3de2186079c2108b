import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ApiError } from '#lib/core/errors.ts';
import { checkSchema, resolveReference, type JsonSchema } from './json-schema.ts';

const endless = { type: 'object', properties: { next: { $ref: '#' } }, required: ['next'] };

function nested(depth: number): JsonSchema {
  return depth === 0 ? { type: 'null' } : { type: 'array', items: nested(depth - 1) };
}

describe('a schema that an engine may get', () => {
  const good: readonly [string, JsonSchema][] = [
    ['anything', {}],
    [
      'an object with definitions',
      { properties: { a: { $ref: '#/$defs/a' } }, $defs: { a: { type: 'string' } } },
    ],
    [
      'a list that may be empty',
      { type: 'object', properties: { next: { type: 'array', items: { $ref: '#' } } }, required: ['next'] },
    ],
    [
      'a recursion with an end',
      {
        type: 'object',
        properties: { next: { anyOf: [{ type: 'null' }, { $ref: '#' }] } },
        required: ['next'],
      },
    ],
    ['an optional recursion', { type: 'object', properties: { next: { $ref: '#' } } }],
    ['several types', { type: ['string', 'null'] }],
    ['what is required and not described', { type: 'object', properties: {}, required: ['x'] }],
    [
      'annotations of generators',
      { $schema: 'x', title: 'T', type: 'object', properties: {}, additionalProperties: false },
    ],
    ['a pattern for the whole', { type: 'string', pattern: '^[a-z]+$' }],
    ['a tuple', { type: 'array', items: [{ type: 'string' }], minItems: 1 }],
    [
      'a property by the name of a keyword',
      { type: 'object', properties: { type: { type: 'string' }, $ref: { type: 'string' } } },
    ],
    ['a reference with escapes', { $ref: '#/$defs/a~1b%20c', $defs: { 'a/b c': { type: 'null' } } }],
  ];
  it.each(good)('is %s', (_, schema) => expect(() => checkSchema(schema, 'x')).not.toThrow());

  const bad: readonly [string, JsonSchema][] = [
    ['a type that does not exist', { type: 'nonsense' }],
    ['no type of several', { type: [] }],
    ['a type in a corner', { type: 'object', properties: { a: { items: { type: 'text' } } } }],
    ['an endless chain', endless],
    [
      'an endless chain by definitions',
      { $ref: '#/$defs/a', $defs: { a: { $ref: '#/$defs/b' }, b: { $ref: '#/$defs/a' } } },
    ],
    ['a reference to itself', { $ref: '#' }],
    ['a list that must hold itself', { type: 'array', items: { $ref: '#' }, minItems: 1 }],
    ['only endless alternatives', { anyOf: [{ $ref: '#' }, endless] }],
    ['an impossible value', { type: 'object', properties: { a: false }, required: ['a'] }],
    ['a reference to nothing', { $ref: '#/$defs/a' }],
    ['a reference to the web', { $ref: 'https://example.org/schema' }],
    ['a reference to a prototype', { $ref: '#/constructor' }],
    ['an empty choice', { anyOf: [] }],
    ['an empty enumeration', { enum: [] }],
    ['properties as a list', { type: 'object', properties: ['a'] }],
    ['a number for a schema', { type: 'array', items: 3 }],
    ['a negative count', { type: 'array', minItems: -1 }],
    ['a count that is no number', { type: 'string', maxLength: 'many' }],
    ['a part of a pattern', { type: 'string', pattern: 'a' }],
    ['a broken pattern', { type: 'string', pattern: '^($' }],
    ['names that are none', { type: 'object', properties: {}, required: [1] }],
    ['more levels than anybody writes', nested(100)],
    ['more parts than anybody writes', { anyOf: Array.from({ length: 6000 }, () => ({ type: 'null' })) }],
  ];
  it.each(bad)('is not %s', (_, schema) => {
    expect(() => checkSchema(schema, 'response_format')).toThrow(
      expect.objectContaining({ code: 'invalid_request', param: 'response_format' }),
    );
  });

  it('is judged or refused, never crashed on, whatever it holds', () => {
    const keys = fc.constantFrom(
      'type',
      'items',
      'properties',
      '$ref',
      'anyOf',
      'required',
      'enum',
      '$defs',
      'a',
    );
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom('object', '#', '#/a', 1, null, true, [], 'array'),
        tie('node'),
      ),
      node: fc.oneof(
        fc.dictionary(keys, tie('tree'), { maxKeys: 4 }),
        fc.array(tie('tree'), { maxLength: 3 }),
      ),
    }));
    fc.assert(
      fc.property(fc.dictionary(keys, tree), (schema) => {
        try {
          checkSchema(schema, 'x');
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(ApiError);
        }
      }),
      { numRuns: 500 },
    );
  });
});

it('follows a reference to the root and to parts', () => {
  const root = { $defs: { a: { type: 'null' } } };
  expect([resolveReference('#', root), resolveReference('#/$defs/a', root)]).toEqual([
    root,
    { type: 'null' },
  ]);
  expect(resolveReference('#/%', root)).toBeUndefined();
});

it('may hold any pattern where the answer need not keep to it', () => {
  const schema = { type: 'object', properties: { a: { type: 'string', pattern: 'part' } } };
  expect(() => checkSchema(schema, 'x', 'loose')).not.toThrow();
  expect(() => checkSchema({ ...schema, type: 'nonsense' }, 'x', 'loose')).toThrow();
});
