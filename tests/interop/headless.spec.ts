import { expect, test, withProfile } from '#tests/support/app.ts';
import { processesNaming, startHeadlessCompanion } from '#tests/support/headless-companion.ts';
import { ask } from '#tests/support/host-tab.ts';

test('a machine without a screen serves a model, and leaves no browser behind', async () => {
  test.skip(process.platform === 'win32', 'there is no SIGTERM');
  await withProfile(async (profile) => {
    const companion = await startHeadlessCompanion(profile);
    expect(await processesNaming(profile)).not.toEqual([]);
    const answer = await ask(companion, '/engines/v1/chat/completions', {
      model: companion.model,
      temperature: 0,
      messages: [{ role: 'user', content: 'Count to 5.' }],
    });
    expect(await answer.json()).toMatchObject({ choices: [{ message: { content: '1, 2, 3, 4, 5' } }] });
    expect(await companion.stop()).toBe(0);
    expect(await processesNaming(profile)).toEqual([]);
  });
});
