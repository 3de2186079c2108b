/** The tabs of a request; the key is in its address. */

export type RequestTab = 'overview' | 'request' | 'response';

export const requestTabs: readonly { readonly key: RequestTab; readonly label: string }[] = [
  { key: 'overview', label: 'Overview' },
  { key: 'request', label: 'Request' },
  { key: 'response', label: 'Response' },
];

/** Of an address that a person may have typed. */
export function tabFrom(text: string | null): RequestTab {
  return requestTabs.find(({ key }) => key === text)?.key ?? 'overview';
}
