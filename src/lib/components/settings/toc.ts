/** The sections of the Settings page, and which of them is being read. */

export const settingSections = [
  { id: 'general', title: 'General' },
  { id: 'api', title: 'API' },
  { id: 'engine', title: 'Engine' },
  { id: 'registries', title: 'Registries' },
  { id: 'storage', title: 'Storage' },
  { id: 'privacy', title: 'Privacy' },
  { id: 'shortcuts', title: 'Shortcuts' },
  { id: 'about', title: 'About' },
] as const;

/** Attached to what holds the sections: calls back with the first one in the upper part of the window. */
export function watchSections(onRead: (id: string) => void): (holder: HTMLElement) => () => void {
  return (holder) => {
    const seen = new Set<Element>();
    const sections = [...holder.querySelectorAll(':scope > section[id]')];
    const observer = new IntersectionObserver(
      (entries) => {
        for (const { target, isIntersecting } of entries) {
          if (isIntersecting) seen.add(target);
          else seen.delete(target);
        }
        const first = sections.find((section) => seen.has(section));
        if (first) onRead(first.id);
      },
      { rootMargin: '0px 0px -60% 0px' },
    );
    for (const section of sections) observer.observe(section);
    return () => observer.disconnect();
  };
}
