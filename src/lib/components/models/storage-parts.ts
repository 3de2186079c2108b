/** How the used space divides: the largest models by name, the others, pulls, and what is shared or left over. */
import { ownBytes, type LocalModel } from '#lib/state/models.svelte.ts';

interface StoragePart {
  readonly key: string;
  readonly label: string;
  readonly bytes: number;
  readonly color: string;
}

interface StorageOptions {
  readonly models: readonly LocalModel[];
  readonly pullBytes: number;
  readonly usedBytes: number;
}

const named = 3;
const shades = [100, 72, 50, 30];

/** Shared bytes count once, among the rest: they belong to no single model. */
export function storageParts({ models, pullBytes, usedBytes }: StorageOptions): readonly StoragePart[] {
  const bySize = [...models].sort((a, b) => ownBytes(b) - ownBytes(a));
  const others = bySize.slice(named);
  const modelBytes = sum(bySize);
  const restBytes = usedBytes - modelBytes - pullBytes;
  const hasShared = models.some(({ sharedBytes }) => sharedBytes !== undefined);
  const parts = [
    ...bySize.slice(0, named).map((model, index) => ({
      key: model.id,
      label: model.title,
      bytes: ownBytes(model),
      color: shade(index),
    })),
    { key: 'more', label: `${others.length} more`, bytes: sum(others), color: shade(named) },
    { key: 'pulls', label: 'Pulls', bytes: pullBytes, color: 'var(--accent-mid)' },
    {
      key: 'rest',
      label: hasShared ? 'Shared and other' : 'Other',
      // The browser's own figure is rounded; a hundredth of it is no part of its own.
      bytes: restBytes > usedBytes * 0.01 ? restBytes : 0,
      color: 'var(--part-queue)',
    },
  ];
  return parts.filter(({ bytes }) => bytes > 0);
}

function sum(models: readonly LocalModel[]): number {
  return models.reduce((total, model) => total + ownBytes(model), 0);
}

function shade(index: number): string {
  return `color-mix(in srgb, var(--accent) ${shades[index] ?? 16}%, var(--track))`;
}
