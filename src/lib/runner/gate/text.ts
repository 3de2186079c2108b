/** What both devices read: prose, numbers, a list and code, so that easy and hard guesses alternate. */

const text = `The harbour lay still before the sun came up. A small boat with a red sail was tied to the wooden pier, and its owner, an old man with a grey beard, was mending a net. Every morning he did the same work in the same order: first the net, then the sail, and last the ropes. When the bell of the church rang seven times, he pushed the boat away from the land and let the wind do the rest.

Water freezes at 0 degrees Celsius and boils at 100 degrees at the level of the sea. Light needs about eight minutes to travel from the sun to the earth. There are seven days in a week, twelve months in a year, and 365 days in most years. The capital of France is Paris, the capital of Italy is Rome, and the capital of Japan is Tokyo.

To make bread you need flour, water, salt and yeast. Mix them in a large bowl, knead the dough for ten minutes, cover it with a cloth and wait until it is twice as large. Then heat the oven, form a loaf and bake it for about forty minutes. Let it cool down before you cut it.

Numbers in a row: 1, 2, 3, 4, 5, 6, 7, 8, 9, 10. Even numbers: 2, 4, 6, 8, 10, 12, 14, 16. Powers of two: 1, 2, 4, 8, 16, 32, 64, 128.

def add(a, b):
    return a + b

for i in range(10):
    print(add(i, 1))

The next day the old man went out again. The wind had turned to the north and the waves were higher than before, but he was not afraid, because he had known this sea for fifty years. He threw the net, waited, and thought of his daughter in the city, who wrote him a letter every month. In the last one she had asked him to come and live with her. He smiled, looked at the sky, and decided to answer her in the evening.`;

/** The text up to the end of each word: a cut within a word would be other tokens than the word has. */
export function beginnings(): readonly string[] {
  return [...text.matchAll(/\S+/g)].map(({ index, 0: word }) => text.slice(0, index + word.length));
}
