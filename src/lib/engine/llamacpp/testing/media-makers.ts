/** Pictures and sounds that the eye and the ear among the fixtures read as words. */
import type { ContentPart } from '#lib/openai/chat.ts';

/** Quarters of a picture by colour, or of a sound by tone; its answer to "What is the capital of …?" */
export const japan = { quarters: [0, 1, 2, 3], capital: 'Tokyo.' } as const;
export const italy = { quarters: [4, 5, 6, 7], capital: 'Rome.' } as const;

type Quarters = readonly number[];

export function ofImage(url: string, detail?: string): ContentPart {
  return { type: 'image_url', image_url: { url, ...(detail !== undefined && { detail }) } };
}

export function ofSound(bytes: Uint8Array): ContentPart {
  return { type: 'input_audio', input_audio: { data: base64(bytes), format: 'wav' } };
}

/** What is asked about the parts between. */
export function capitalOf(...parts: readonly ContentPart[]): ContentPart[] {
  return [{ type: 'text', text: 'What is the capital of' }, ...parts, { type: 'text', text: '?' }];
}

export async function picture(quarters: Quarters, type = 'image/png', edge = 16): Promise<string> {
  const canvas = new OffscreenCanvas(edge, edge);
  const context = canvas.getContext('2d');
  quarters.forEach((colour, index) => {
    if (context) context.fillStyle = `rgb(${[1, 2, 4].map((bit) => (colour & bit ? 255 : 0)).join(' ')})`;
    const half = edge / 2;
    context?.fillRect((index % 2) * half, Math.floor(index / 2) * half, half, half);
  });
  return dataUrl(type, new Uint8Array(await (await canvas.convertToBlob({ type })).arrayBuffer()));
}

export function dataUrl(type: string, bytes: Uint8Array): string {
  return `data:${type};base64,${base64(bytes)}`;
}

const rate = 16_000;
/** A little less than a quarter of the 30 seconds that the ear takes at once. */
const toneSeconds = 7.4;

/** WAV, 16 bits, one channel. */
export function sound(tones: Quarters): Uint8Array<ArrayBuffer> {
  const perTone = Math.round(rate * toneSeconds);
  const samples = tones.flatMap((tone) =>
    Array.from({ length: perTone }, (_, at) => 20_000 * Math.sin((2 * Math.PI * hertzOf(tone) * at) / rate)),
  );
  return wav(Int16Array.from(samples));
}

/** The middle of one of eight bands of the mel scale, as Slaney made it, up to 8 kHz. */
function hertzOf(band: number): number {
  const mel = ((10 * band + 5.5) / 81) * 45.245;
  return mel < 15 ? (mel * 200) / 3 : 1000 * Math.exp((Math.log(6.4) / 27) * (mel - 15));
}

export function wav(samples: Int16Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(44 + samples.byteLength);
  const view = new DataView(bytes.buffer);
  const put = (at: number, text: string) => bytes.set(new TextEncoder().encode(text), at);
  put(0, 'RIFF');
  view.setUint32(4, 36 + samples.byteLength, true);
  put(8, 'WAVEfmt ');
  for (const [at, value] of [
    [16, 16],
    [24, rate],
    [28, rate * 2],
    [40, samples.byteLength],
  ] as const)
    view.setUint32(at, value, true);
  for (const [at, value] of [
    [20, 1],
    [22, 1],
    [32, 2],
    [34, 16],
  ] as const)
    view.setUint16(at, value, true);
  put(36, 'data');
  bytes.set(new Uint8Array(samples.buffer), 44);
  return bytes;
}

function base64(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}
