/** Which models can be checked: those that llama.cpp runs and that write text. */
import { ApiError } from '#lib/core/errors.ts';
import { requireAbility } from '#lib/runner/chat/abilities.ts';
import type { ModelInsights } from '#lib/runner/library/insight.ts';
import type { Library } from '#lib/runner/library/library.ts';

export interface SubjectPorts {
  readonly library: Pick<Library, 'get' | 'partsOf'>;
  readonly insights: Pick<ModelInsights, 'of'>;
}

/** Throws `model_not_found`, `not_supported` or `invalid_request`. */
export async function requireSubject(reference: string, { library, insights }: SubjectPorts): Promise<void> {
  const model = await library.get(reference);
  if (library.partsOf(model).artifact.engine !== 'llama.cpp') {
    throw new ApiError(
      'not_supported',
      'The check compares the GPU with the CPU, and WebLLM computes on the GPU only. Check a model in GGUF form, or use “Check this device” in the catalog.',
      { param: 'model' },
    );
  }
  const insight = await insights.of(model);
  if (insight) requireAbility(insight.capabilities, 'chat', 'model');
}
