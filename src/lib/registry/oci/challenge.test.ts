import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseChallenges } from './challenge.ts';

const parse = (header: string) =>
  parseChallenges(header).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);

describe('parseChallenges', () => {
  it.each([
    [
      'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:ai/smollm2:pull"',
      [
        [
          'bearer',
          {
            realm: 'https://auth.docker.io/token',
            service: 'registry.docker.io',
            scope: 'repository:ai/smollm2:pull',
          },
        ],
      ],
    ],
    ['Basic realm="a registry"', [['basic', { realm: 'a registry' }]]],
    ['BASIC', [['basic', {}]]],
    ['bearer realm=plain', [['bearer', { realm: 'plain' }]]],
    [
      'Basic realm="x", Bearer realm="https://a/b",scope="r:a:pull,push r:b:pull"',
      [
        ['basic', { realm: 'x' }],
        ['bearer', { realm: 'https://a/b', scope: 'r:a:pull,push r:b:pull' }],
      ],
    ],
    [
      'Negotiate, Basic realm="x"',
      [
        ['negotiate', {}],
        ['basic', { realm: 'x' }],
      ],
    ],
    [
      'Negotiate YIIabc==, Basic realm="x"',
      [
        ['negotiate', {}],
        ['basic', { realm: 'x' }],
      ],
    ],
    ['Bearer realm = "a" , service = "b"', [['bearer', { realm: 'a', service: 'b' }]]],
    ['Bearer REALM="a",realm="b"', [['bearer', { realm: 'a' }]]],
    [String.raw`Bearer realm="a \"quoted\" \\ b"`, [['bearer', { realm: String.raw`a "quoted" \ b` }]]],
    ['Bearer realm="unterminated', [['bearer', { realm: 'unterminated' }]]],
    ['Bearer realm=,service="b"', [['bearer', { service: 'b' }]]],
    ['Bearer realm="",service=b', [['bearer', { realm: '', service: 'b' }]]],
    [
      'Bearer __proto__="x",realm="a"',
      [
        [
          'bearer',
          Object.fromEntries([
            ['__proto__', 'x'],
            ['realm', 'a'],
          ]),
        ],
      ],
    ],
    [',,, ;; "', []],
    ['', []],
  ])('reads %s', (header, expected) => {
    expect(parse(header)).toEqual(expected);
  });

  it('never throws, and takes time in proportion to the header', () => {
    const parts = fc.constantFrom('Bearer', ' ', ',', '=', '"', '\\', 'realm', 'a==', '\t', '/', ';');
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.array(parts).map((all) => all.join('')),
        ),
        (header) => {
          expect(Array.isArray(parseChallenges(header))).toBe(true);
        },
      ),
      { numRuns: 1000 },
    );
    for (const piece of ['a ', '"\\', '=', 'a=', ' a', ' \t', 'a=" ']) {
      expect(parseChallenges(piece.repeat(1_000_000)).length).toBeLessThan(10_000);
    }
  });

  it('gives back what was written', () => {
    const value = fc.string();
    fc.assert(
      fc.property(value, value, (realm, scope) => {
        const quote = (text: string) => `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`;
        const [challenge] = parseChallenges(`Bearer realm=${quote(realm)},scope=${quote(scope)}`);
        expect(challenge?.parameters).toEqual(
          new Map([
            ['realm', realm],
            ['scope', scope],
          ]),
        );
      }),
    );
  });
});
