import { expect, it, vi } from 'vitest';
import { render } from 'vitest-browser-svelte';
import type { Endpoint } from '#lib/state/developers-endpoints.ts';
import AddressCard from './AddressCard.svelte';
import EndpointList from './EndpointList.svelte';
import { reachOf } from './reach.ts';
import SnippetCard from './SnippetCard.svelte';

const site = 'https://sampan.example';
const noop = () => undefined;

const endpoint: Endpoint = {
  id: 'getModel',
  method: 'GET',
  path: '/models/{ref}',
  tag: 'Models',
  summary: 'One model',
  description: '',
  parameters: [{ name: 'remote', place: 'query', description: 'Asks the registry.', required: false }],
  aliases: [],
  answers: [{ status: '404', description: '`model_not_found`' }],
};

it('a page that no companion served says that programs do not reach it, and what would help', async () => {
  const onCopy = vi.fn();
  const reach = reachOf(false, site);
  const screen = await render(AddressCard, { reach, origin: site, onCopy });
  await expect.element(screen.getByText(/no program can reach into a browser tab/)).toBeVisible();
  await screen.getByRole('button', { name: 'Copy the base URL for OpenAI clients' }).click();
  expect(onCopy).toHaveBeenCalledWith('http://localhost:12434/engines/v1');
  await screen.getByRole('button', { name: 'Copy the base URL for this site' }).click();
  expect(onCopy).toHaveBeenLastCalledWith(`${site}/engines/v1`);
});

it('a page of the companion gives its own address to programs', () => {
  expect(reachOf(true, site)).toEqual({ programs: 'here', origin: site });
  expect(reachOf(undefined, site)).toEqual({ programs: 'unknown', origin: site });
});

it('snippets of programs say that they wait for a companion; that of a tab does not', async () => {
  const screen = await render(SnippetCard, {
    models: [],
    model: undefined,
    reach: reachOf(false, site),
    site,
    onModel: noop,
    onCopy: noop,
  });
  await expect.element(screen.getByText(/Works once Sampan runs on this machine/)).toBeVisible();
  await expect.element(screen.getByRole('region', { name: 'curl' })).toHaveTextContent('ai/smollm2');
  await screen.getByRole('tab', { name: 'fetch in a tab' }).click();
  await expect.element(screen.getByRole('region', { name: 'fetch in a tab' })).toBeVisible();
  await expect.element(screen.getByText(/Works once/)).not.toBeInTheDocument();
});

it('endpoints are searched, opened, and handed on to be tried', async () => {
  const onTry = vi.fn();
  const screen = await render(EndpointList, { endpoints: [endpoint], onTry, onCopy: noop });
  await screen.getByText('/models/{ref}').click();
  await expect.element(screen.getByText('Asks the registry.')).toBeVisible();
  await screen.getByRole('button', { name: 'Try it' }).click();
  expect(onTry).toHaveBeenCalledWith(endpoint);
  await screen.getByRole('searchbox').fill('nothing like it');
  await expect.element(screen.getByText(/No endpoint matches/)).toBeVisible();
});
