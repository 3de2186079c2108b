/** Which of the precompressed siblings (`.br`, `.gz`) a client takes, best first (RFC 9110 section 12.5.3). */

export type Encoding = 'br' | 'gzip';

export const suffixes: Readonly<Record<Encoding, string>> = { br: '.br', gzip: '.gz' };

const preference: readonly Encoding[] = ['br', 'gzip'];

export function acceptedEncodings(acceptEncoding: string | undefined): Encoding[] {
  const weights = new Map((acceptEncoding ?? '').split(',').map(parseCoding));
  return preference.filter((encoding) => (weights.get(encoding) ?? weights.get('*') ?? 0) > 0);
}

function parseCoding(text: string): [string, number] {
  const [coding = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase());
  const weight = parameters.find((parameter) => parameter.startsWith('q='));
  return [coding, weight === undefined ? 1 : Number(weight.slice('q='.length)) || 0];
}
