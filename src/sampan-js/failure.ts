/** What connect() rejects with, and what requests end with: a sentence for people and a code for programs. */

export function failure(code: string, message: string): Error & { code: string } {
  return Object.assign(new Error(message), { name: 'SampanError', code });
}
