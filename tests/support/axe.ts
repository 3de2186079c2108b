/** What axe finds wrong with a page, as `rule: selector`. */
import AxeBuilder from '@axe-core/playwright';
import type { Page } from '@playwright/test';

export async function violations(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page })
    // A client of its own would load a page without isolation, which the app's own headers forbid.
    .setLegacyMode()
    // A selector for every node that passed would cost more than the checks.
    .options({ resultTypes: ['violations'] })
    .analyze();
  return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.target.join(' ')}`));
}
