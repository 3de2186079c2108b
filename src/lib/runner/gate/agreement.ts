/** How far two devices agree, and what that means in words. */
import type { GateDifferenceJson, GateResultJson, GateVerdict } from '#lib/model/wire-gate.ts';
import type { Prediction } from './predictions.ts';
import { beginnings } from './text.ts';

/** Rounding alone turns a guess between two equally likely tokens, so that a hundredth differs on sound devices. */
const enough = 0.98;
/** Between the two lie sound GPUs that compute in half precision. */
const bearable = 0.95;
const shownDifferences = 10;
const shownCharacters = 40;
/** A token that is half a character has no text of its own. */
const unwritable = '\uFFFD';

type Agreement = Pick<GateResultJson, 'positions' | 'agreed' | 'verdict' | 'differences'>;

/** A position at which neither could write its token says nothing and is left out. */
export function agreementOf(candidate: readonly Prediction[], reference: readonly Prediction[]): Agreement {
  const read = beginnings();
  const differences: GateDifferenceJson[] = [];
  let [positions, agreed] = [0, 0];
  for (const [index, expected] of reference.slice(0, candidate.length).entries()) {
    const found = candidate[index];
    if (found === undefined && expected === undefined) continue;
    positions++;
    if (found === expected) agreed++;
    else {
      differences.push({
        position: index + 1,
        after: read[index]?.slice(-shownCharacters) ?? '',
        candidate: found ?? unwritable,
        reference: expected ?? unwritable,
      });
    }
  }
  return {
    positions,
    agreed,
    verdict: verdictOf(agreed / Math.max(1, positions)),
    differences: differences.slice(0, shownDifferences),
  };
}

function verdictOf(share: number): GateVerdict {
  if (share >= enough) return 'agrees';
  return share >= bearable ? 'close' : 'differs';
}

interface Pair {
  readonly candidate: string;
  readonly reference: string;
  /** Whether the candidate computed on the GPU. */
  readonly onGpu: boolean;
}

export function detailOf({ verdict, positions, agreed }: Agreement, pair: Pair): string {
  const share = `${pair.candidate} and ${pair.reference} hold the same token for the likeliest at ${agreed} of ${positions} positions.`;
  const compared = pair.onGpu
    ? share
    : `llama.cpp computes without a GPU here, so two ways of the CPU were compared. ${share}`;
  if (verdict === 'agrees') return `${compared} The model computes correctly.`;
  if (verdict === 'close') {
    return `${compared} That is a little less than usual: near ties fall otherwise in half precision. Its answers can be used; run the check again after an update of the graphics driver.`;
  }
  return `${compared} Fewer than ${bearable * 100} in 100 mean a fault. ${pair.onGpu ? gpuAdvice : cpuAdvice}`;
}

const gpuAdvice =
  'Do not trust its answers on the GPU: update the browser and the graphics driver, or set the GPU layers of this model to 0.';
const cpuAdvice =
  'Do not trust its answers with several threads: update the browser, or set the threads of this model to 1.';
