import { beforeEach, describe, expect, it } from 'vitest';
import type { ReadPicture } from '#lib/engine/pictures/read.ts';
import { AnswerBench } from '#lib/engine/webllm/testing/answer-bench.ts';
import type { ChatMessage, ContentPart } from '#lib/openai/chat.ts';
import { passagesOf, PictureShelf } from './pictures.ts';

const never = new AbortController().signal;
const text = (given: string): ContentPart => ({ type: 'text', text: given });
const image = (name: string): ContentPart => ({
  type: 'image_url',
  image_url: { url: `data:image/png;base64,${name}` },
});
const user = (...content: ContentPart[]): ChatMessage => ({ role: 'user', content });
const assistant = (content: string): ChatMessage => ({ role: 'assistant', content });

/** As the decoder would, which only a browser has. */
const read: ReadPicture = ({ image_url: { url } }) =>
  Promise.resolve({ width: 20, height: 10, blob: new Blob([url]) });

describe('PictureShelf', () => {
  let shelf: PictureShelf;
  const take = (...messages: ChatMessage[]) => shelf.take({ model: 'x', messages }, never);

  beforeEach(() => {
    shelf = new PictureShelf(read);
  });

  it('gives every picture a URL that it answers, until the next request', async () => {
    const { pictures } = await take(user(image('AAAA'), text('a'), image('BBBB')));
    const [first, second] = pictures.map(({ url }) => url);
    expect(first).toMatch(/^https:\/\/picture\.invalid\/[0-9a-f]{64}\.png$/);
    expect(await shelf.find(second ?? '')?.text()).toBe('data:image/png;base64,BBBB');
    await take(user(image('CCCC')));
    expect(shelf.find(first ?? '')).toBeUndefined();
  });

  it('puts marks on lines of their own before the text, the same for the same picture', async () => {
    const { request, pictures } = await take(user(text('a'), image('AAAA'), text('b'), image('AAAA')));
    const [picture] = pictures;
    expect(request.messages[0]?.content).toBe(`${picture?.mark}\n${picture?.mark}\nab`);
    const other = await new PictureShelf(read).take({ model: 'x', messages: [user(image('AAAA'))] }, never);
    expect(other.pictures[0]?.mark).not.toBe(picture?.mark);
  });

  it('leaves all other messages as they are', async () => {
    const messages: ChatMessage[] = [{ role: 'system', content: 'a' }, assistant('b'), user(text('c'))];
    const { request, pictures } = await take(...messages);
    expect(request.messages).toEqual([...messages.slice(0, 2), { role: 'user', content: 'c' }]);
    expect(pictures).toEqual([]);
  });

  it('refuses too many, and reads no more of a request that is cancelled', async () => {
    const many = Array.from({ length: 21 }, () => image('AAAA'));
    await expect(take(user(...many))).rejects.toMatchObject({ code: 'invalid_request', param: 'messages' });
    const messages = [user(image('AAAA'))];
    await expect(shelf.take({ model: 'x', messages }, AbortSignal.abort())).rejects.toMatchObject({
      name: 'AbortError',
    });
  });
});

it('takes no mark for a picture that is none, and no letter before one for half of it', async () => {
  const { pictures } = await new PictureShelf(read).take(
    { model: 'x', messages: [user(image('AAAA'))] },
    never,
  );
  const [picture] = pictures;
  expect(passagesOf(`a\uFFFC${picture?.mark}b`, pictures)).toEqual([
    { text: 'a\uFFFC' },
    { picture, text: 'b' },
  ]);
  expect(passagesOf('a\uFFFCb\uFFFCc', [])).toEqual([{ text: 'a\uFFFCb\uFFFCc' }]);
  expect(passagesOf('', [])).toEqual([{ text: '' }]);
});

describe('an answer about pictures', () => {
  let bench: AnswerBench;

  beforeEach(() => {
    bench = new AnswerBench({ shelf: new PictureShelf(read), span: { kind: 'context', tokens: 100 } });
    bench.pipeline.computeImageEmbedSize = (height, width) => height + width;
  });

  it('is asked of WebLLM in its own form: a message to every picture, in their place in the prompt', async () => {
    bench.next(['B']);
    const before: ChatMessage = { role: 'system', content: 'Be kind. ' };
    const events = await bench.askAbout([before, user(text('What is this?'), image('AAAA'), image('BBBB'))]);
    const [first, second] = ['AAAA', 'BBBB'].map(() => ({
      type: 'image_url',
      image_url: { url: expect.stringContaining('https://picture.invalid/') as unknown },
    }));
    expect(bench.pipeline.asked[0]?.messages).toEqual([
      { role: 'user', content: 'Be kind. ' },
      { role: 'user', content: [first, { type: 'text', text: '' }] },
      { role: 'user', content: [second, { type: 'text', text: 'What is this?' }] },
    ]);
    expect(events.at(-1)).toMatchObject({
      // A token before it, three words, a line, three words, and thirty for each picture.
      usage: { promptTokens: 1 + 3 + 1 + 3 + 60 },
      renderedPrompt: 'Be kind. <image>\n<image>\nWhat is this?',
    });
  });

  it('goes on from what is computed, unless more than one message to WebLLM is new', async () => {
    bench.next(['B']);
    const first = user(image('AAAA'), text('A'));
    await bench.askAbout([first]);
    bench.next(['D']);
    const second = [first, assistant('B'), user(text('C'))];
    const events = await bench.askAbout(second);
    expect(bench.pipeline.asked[1]?.messages).toEqual([
      ...(bench.pipeline.asked[0]?.messages ?? []),
      { role: 'assistant', content: 'B' },
      { role: 'user', content: 'C' },
    ]);
    expect(events.at(-1)).toMatchObject({ usage: { cachedTokens: 10 } });
    const third = [...second, assistant('D'), user(image('BBBB'), image('CCCC'), text('E'))];
    expect((await bench.askAbout(third)).at(-1)).toMatchObject({ usage: { cachedTokens: 0 } });
    expect(bench.pipeline.asked[2]?.messages.every(({ role }) => role === 'user')).toBe(true);
  });

  it('takes a conversation about another picture for another', async () => {
    bench.next(['B']);
    await bench.askAbout([user(image('AAAA'), text('A'))]);
    const events = await bench.askAbout([user(image('BBBB'), text('A')), assistant('B'), user(text('C'))]);
    expect(events.at(-1)).toMatchObject({ usage: { cachedTokens: 0 } });
  });

  it.each([
    ['fill the context', 90, 512, 'context_length_exceeded'],
    ['are more than is computed at once', 90, 80, 'not_supported'],
  ])('is refused when they %s', async (_, size, chunk, code) => {
    bench.pipeline.computeImageEmbedSize = () => size;
    bench.pipeline.prefillChunkSize = chunk;
    const asked = bench.askAbout([user(image('AAAA'), text('a b c d e f g h i j k'))]);
    await expect(asked).rejects.toMatchObject({ code, param: 'messages' });
    expect(bench.pipeline.asked).toEqual([]);
  });

  it('is refused by a library without eyes, and for sound', async () => {
    delete bench.pipeline.computeImageEmbedSize;
    await expect(bench.askAbout([user(image('AAAA'))])).rejects.toMatchObject({ code: 'not_supported' });
    const sound: ContentPart = { type: 'input_audio', input_audio: { data: 'AAAA', format: 'wav' } };
    await expect(bench.askAbout([user(sound)])).rejects.toMatchObject({ code: 'unsupported_parameter' });
  });
});
