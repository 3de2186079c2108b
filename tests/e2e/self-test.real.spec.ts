import { expect, test } from '#tests/support/app.ts';

test('both engines answer word for word on this machine, and the result is kept', async ({ page }) => {
  // A software GPU takes minutes for what a real one does in a second.
  test.setTimeout(300_000);
  await page.getByRole('button', { name: 'Check this device' }).click();
  const dialog = page.getByRole('dialog', { name: 'This device' });
  await dialog.getByRole('button', { name: 'Run the test' }).click();
  await expect(dialog.getByText(/llama\.cpp\s+computes correctly/)).toBeVisible({ timeout: 60_000 });
  await expect(dialog.getByText(/webllm\s+computes correctly/)).toBeVisible({ timeout: 200_000 });
  await page.reload();
  await page.getByRole('button', { name: 'Check this device' }).click();
  await expect(dialog.getByText(/webllm\s+computes correctly/)).toBeVisible();
});
