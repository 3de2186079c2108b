import { describe, expect, it } from 'vitest';
import { heldSchema } from './schema.ts';

const integer = { type: 'integer' };

function held(schema: Readonly<Record<string, unknown>>): unknown {
  return JSON.parse(heldSchema(schema));
}

describe('a JSON Schema for WebLLM', () => {
  it.each([
    [{ type: 'object', properties: { a: { $ref: '#/$defs/A' } }, required: ['a'], $defs: { A: integer } }],
    [{ $ref: '#/$defs/A', $defs: { A: { type: 'array', items: { $ref: '#/$defs/A' } } } }],
    [{ anyOf: [integer, { type: 'null' }] }],
    [{ type: ['string', 'null'], enum: ['a', null] }],
    [{ type: 'string', pattern: '^a+$' }],
    [{ type: 'object', additionalProperties: false }],
    [{ type: 'object', properties: { not: true, type: { type: 'string' } } }],
    [{ allOf: [integer] }],
    [{ type: 'array', prefixItems: [integer], items: false }],
    [{}],
  ])('is %j as it is', (schema) => {
    expect(held(schema)).toEqual(schema);
  });

  it('has an upper bound where a lower one alone would not hold', () => {
    expect(held({ type: 'integer', minimum: 5 })).toEqual({
      type: 'integer',
      minimum: 5,
      maximum: Number.MAX_SAFE_INTEGER,
    });
    expect(held({ type: 'integer', minimum: 5, maximum: 9 })).toMatchObject({ maximum: 9 });
  });

  it('describes every property that it requires', () => {
    expect(held({ type: 'object', required: ['a', 'b'], properties: { a: integer } })).toMatchObject({
      properties: { a: integer, b: {} },
    });
  });

  it.each([
    ['not', { not: integer }],
    ['allOf', { allOf: [integer, { minimum: 3 }] }],
    ['if', { properties: { a: { if: integer, then: integer } } }],
    ['uniqueItems', { type: 'array', uniqueItems: true }],
    ['properties/a', { properties: { a: { type: 'frob' } } }],
    ['properties', { type: 'object', properties: 3 }],
    ['anyOf', { anyOf: [] }],
    ['nothing', { enum: [] }],
    ['nothing', { properties: { a: false } }],
    ['“pattern”', { type: 'string', pattern: '[' }],
    ['“pattern”', { type: 'string', pattern: '(?<!a)b' }],
    ['“pattern”', { type: 'string', pattern: '\\bfoo' }],
    ['“pattern”', { type: 'string', pattern: 'a', minLength: 2 }],
    ['“minimum”', { type: 'integer', minimum: 1.5 }],
    ['“maximum”', { type: 'integer', maximum: 1e20 }],
    ['“minItems”', { type: 'array', minItems: 5, maxItems: 2 }],
    ['not in the schema', { $ref: '#/$defs/A' }],
    ['not in the schema', { $ref: 'https://example.com/a' }],
    ['not in the schema', { $ref: '#/toString' }],
    ['itself only', { $ref: '#/$defs/A', $defs: { A: { $ref: '#/$defs/A' } } }],
    ['no schema', { items: 'x' }],
  ])('is refused, naming %s', (named, schema) => {
    expect(() => heldSchema(schema)).toThrow(
      expect.objectContaining({
        code: 'invalid_request',
        param: 'response_format',
        message: expect.stringContaining(named),
      }),
    );
  });

  it('is held as far as it can be when it is loose', () => {
    const loose = (schema: Readonly<Record<string, unknown>>): unknown =>
      JSON.parse(heldSchema(schema, 'loose'));
    const list = {
      type: 'array',
      items: { type: 'string', pattern: '^a$', minLength: 1 },
      uniqueItems: true,
    };
    expect(loose({ properties: { not: list }, not: { type: 'null' } })).toEqual({
      properties: { not: { type: 'array', items: { type: 'string', pattern: '^a$' } } },
    });
    expect(loose({ type: 'string', pattern: '(?=a)', maxLength: 3 })).toEqual({
      type: 'string',
      maxLength: 3,
    });
    expect(loose({ allOf: [integer, { minimum: 3 }] })).toEqual({});
    expect(() => loose({ type: 'frob' })).toThrow(expect.objectContaining({ code: 'invalid_request' }));
  });

  it('is refused when it is too deep or too long', () => {
    let deep: Record<string, unknown> = integer;
    for (let level = 0; level < 100; level++) deep = { type: 'array', items: deep };
    expect(() => heldSchema(deep)).toThrow(expect.objectContaining({ code: 'invalid_request' }));
    const long = { enum: Array.from({ length: 30_000 }, (_, index) => `value ${index}`) };
    expect(() => heldSchema(long)).toThrow(expect.objectContaining({ code: 'invalid_request' }));
  });
});
