/** The pages that the rail, the tab bar and the shortcuts lead to. */

export interface Section {
  readonly href: '/catalog' | '/models' | '/chat' | '/requests' | '/logs' | '/developers' | '/settings';
  readonly label: string;
  readonly icon: string;
  /** After G. */
  readonly key: string;
  /** A phone has room for five: the others are behind its last one. */
  readonly onPhone: 'bar' | 'more';
}

export const sections: readonly Section[] = [
  { href: '/catalog', label: 'Catalog', icon: 'catalog', key: 'c', onPhone: 'bar' },
  { href: '/models', label: 'Models', icon: 'models', key: 'm', onPhone: 'bar' },
  { href: '/chat', label: 'Chat', icon: 'chat', key: 't', onPhone: 'bar' },
  { href: '/requests', label: 'Requests', icon: 'requests', key: 'r', onPhone: 'bar' },
  { href: '/logs', label: 'Logs', icon: 'logs', key: 'l', onPhone: 'more' },
  { href: '/developers', label: 'API', icon: 'code', key: 'a', onPhone: 'more' },
  { href: '/settings', label: 'Settings', icon: 'settings', key: 's', onPhone: 'more' },
];
