/** A list of models, cut down to those that a page may know of. */

const listFields = ['data', 'models'];
const nameFields = ['id', 'name', 'model'];

/** Any dialect's list: an array, or one under `data` or `models`. `isGranted` is asked by an entry's own name. */
export async function withoutOthers(
  answer: Response,
  isGranted: (name: string) => Promise<boolean>,
): Promise<Response> {
  if (!answer.ok) return answer;
  const body: unknown = await answer.json();
  const cut = await cutDown(body, isGranted);
  return new Response(JSON.stringify(cut), { headers: { 'content-type': 'application/json' } });
}

async function cutDown(body: unknown, isGranted: (name: string) => Promise<boolean>): Promise<unknown> {
  if (Array.isArray(body)) {
    const kept = await Promise.all(body.map((entry: unknown) => isGranted(nameOf(entry))));
    return body.filter((_entry, index) => kept[index]);
  }
  const fields = fieldsOf(body).map(async ([field, value]) =>
    listFields.includes(field) ? [field, await cutDown(value, isGranted)] : [field, value],
  );
  return Object.fromEntries(await Promise.all(fields)) as unknown;
}

function nameOf(entry: unknown): string {
  const named = new Map(fieldsOf(entry));
  const name = nameFields.map((field) => named.get(field)).find((value) => typeof value === 'string');
  return name ?? '';
}

function fieldsOf(value: unknown): [string, unknown][] {
  return typeof value === 'object' && value !== null ? Object.entries(value) : [];
}
