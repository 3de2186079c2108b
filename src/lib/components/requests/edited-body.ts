/** A body that a person typed: JSON, and an object, or the line where it stops being that. */

export type EditedBody =
  { readonly status: 'right'; readonly body: object } | { readonly status: 'wrong'; readonly why: string };

export function parseBody(text: string): EditedBody {
  if (text.trim() === '') return wrong('The body is empty. It must be a JSON object.');
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return { status: 'right', body: value };
    }
    return wrong('The body must be a JSON object: it begins with “{”.');
  } catch (thrown) {
    return wrong(`This is not JSON${placeOf(thrown, text)}. Correct it before it is sent.`);
  }
}

function wrong(why: string): EditedBody {
  return { status: 'wrong', why };
}

/** Browsers tell the position as a number of characters, or not at all. */
function placeOf(thrown: unknown, text: string): string {
  const [, position] = /position (\d+)/.exec(thrown instanceof Error ? thrown.message : '') ?? [];
  if (position === undefined) return '';
  return ` in line ${text.slice(0, Number(position)).split('\n').length}`;
}
