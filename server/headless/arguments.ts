/** How a Chromium is told to run models unseen. */

export interface BrowserWish {
  readonly url: string;
  readonly profile: string;
  readonly platform: string;
  /** Chromium's sandbox does not start for root, as in most containers. */
  readonly user: 'root' | 'other';
}

const always = [
  '--headless=new',
  // Its other end is ours alone; when we die, however, the browser reads the end of it and leaves too.
  '--remote-debugging-pipe',
  '--no-first-run',
  '--no-default-browser-check',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // A page without a window counts as hidden; the models in it must not be slowed down.
  '--disable-background-timer-throttling',
  '--disable-backgrounding-occluded-windows',
  '--disable-renderer-backgrounding',
  // Some drivers are on Chromium's block list and yet run models well.
  '--enable-unsafe-webgpu',
  '--ignore-gpu-blocklist',
];

export function browserArguments({ url, profile, platform, user }: BrowserWish): string[] {
  return [
    ...always,
    `--user-data-dir=${profile}`,
    ...(platform === 'linux' ? ['--enable-features=Vulkan', '--disable-dev-shm-usage'] : []),
    ...(user === 'root' ? ['--no-sandbox'] : []),
    url,
  ];
}
