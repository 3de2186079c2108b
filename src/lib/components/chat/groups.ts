/** The list of conversations under its days. */
import { daysBetween } from '#lib/components/ui/duration.ts';
import type { Conversation } from '#lib/state/conversation.svelte.ts';

export interface Group {
  readonly title: string;
  readonly conversations: readonly Conversation[];
}

/** Newest first, as they come; empty groups are left out. */
export function groupByDay(conversations: readonly Conversation[], nowMs: number): readonly Group[] {
  const groups = new Map<string, Conversation[]>();
  for (const conversation of conversations) {
    const title = titleOf(daysBetween(conversation.updatedMs, nowMs));
    groups.set(title, [...(groups.get(title) ?? []), conversation]);
  }
  return [...groups].map(([title, members]) => ({ title, conversations: members }));
}

function titleOf(days: number): string {
  if (days <= 0) return 'Today';
  if (days === 1) return 'Yesterday';
  return days < 7 ? 'Last 7 days' : 'Earlier';
}
