/** The pages that the rail, the tab bar and the shortcuts lead to. */

export interface Section {
  readonly href: '/catalog' | '/models' | '/chat' | '/requests' | '/logs';
  readonly label: string;
  readonly icon: string;
  /** After G. */
  readonly key: string;
}

export const sections: readonly Section[] = [
  { href: '/catalog', label: 'Catalog', icon: 'catalog', key: 'c' },
  { href: '/models', label: 'Models', icon: 'models', key: 'm' },
  { href: '/chat', label: 'Chat', icon: 'chat', key: 't' },
  { href: '/requests', label: 'Requests', icon: 'requests', key: 'r' },
  { href: '/logs', label: 'Logs', icon: 'logs', key: 'l' },
];
