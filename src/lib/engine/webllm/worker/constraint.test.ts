import { describe, expect, it } from 'vitest';
import { constraintOf } from './constraint.ts';

describe('what holds an answer', () => {
  it('is nothing unless it is asked for', () => {
    expect(constraintOf({})).toBeUndefined();
    expect(
      constraintOf({ response_format: { type: 'text' }, grammar: '', ignore_eos: true }),
    ).toBeUndefined();
  });

  it('is a schema as text', () => {
    const object = { type: 'json_object', schema: '{"type":"object"}' };
    expect(constraintOf({ response_format: { type: 'json_object' } })).toEqual(object);
    expect(constraintOf({ response_format: { type: 'json_schema', json_schema: {} } })).toEqual(object);
    const schema = { type: 'integer' };
    expect(constraintOf({ response_format: { type: 'json_schema', json_schema: { schema } } })).toEqual({
      type: 'json_object',
      schema: '{"type":"integer"}',
    });
  });

  it('may be loose', () => {
    const format = { schema: { type: 'array', uniqueItems: true }, strict: false };
    expect(constraintOf({ response_format: { type: 'json_schema', json_schema: format } })).toEqual({
      type: 'json_object',
      schema: '{"type":"array"}',
    });
  });

  it('is a grammar as it is', () => {
    expect(constraintOf({ grammar: 'root ::= "a"' })).toEqual({ type: 'grammar', grammar: 'root ::= "a"' });
  });

  it.each([
    ['grammar', { grammar: 'root ::= "a"', response_format: { type: 'json_object' as const } }],
    ['ignore_eos', { ignore_eos: true, response_format: { type: 'json_object' as const } }],
    ['ignore_eos', { ignore_eos: true, grammar: 'root ::= "a"' }],
  ])('is not two things at once: “%s”', (param, fields) => {
    expect(() => constraintOf(fields)).toThrow(
      expect.objectContaining({ code: 'unsupported_parameter', param }),
    );
  });
});
