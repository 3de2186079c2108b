/** What of the page stands in its address: the filters, the request that is open, its tab, and one to compare it with. */
import { addressOf, readQuery, type RequestQuery } from '#lib/state/request-query.ts';
import { tabFrom, type RequestTab } from './tabs.ts';

export interface RequestAddress {
  readonly query: RequestQuery;
  readonly id: string | undefined;
  readonly withId: string | undefined;
  readonly tab: RequestTab;
}

export function readAddress(parameters: URLSearchParams): RequestAddress {
  return {
    query: readQuery(parameters),
    id: parameters.get('id') || undefined,
    withId: parameters.get('with') || undefined,
    tab: tabFrom(parameters.get('tab')),
  };
}

export function hrefOf({ query, id, withId, tab }: RequestAddress): string {
  const parameters = addressOf(query);
  if (id !== undefined) parameters.set('id', id);
  if (id !== undefined && withId !== undefined) parameters.set('with', withId);
  if (id !== undefined && tab !== 'overview') parameters.set('tab', tab);
  return parameters.size === 0 ? '/requests' : `/requests?${parameters}`;
}
