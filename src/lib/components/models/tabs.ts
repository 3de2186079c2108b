/** The tabs of a model's page; the key is in its address. */

export type ModelTab = 'overview' | 'configure' | 'bench' | 'files' | 'metadata' | 'template' | 'json';

export const modelTabs: readonly { readonly key: ModelTab; readonly label: string }[] = [
  { key: 'overview', label: 'Overview' },
  { key: 'configure', label: 'Configure' },
  { key: 'bench', label: 'Benchmark' },
  { key: 'files', label: 'Files' },
  { key: 'metadata', label: 'Metadata' },
  { key: 'template', label: 'Template' },
  { key: 'json', label: 'JSON' },
];

/** Of an address that a person may have typed. */
export function tabFrom(text: string | null): ModelTab {
  return modelTabs.find(({ key }) => key === text)?.key ?? 'overview';
}
