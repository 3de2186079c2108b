/** GET /metrics: counters of all requests in Prometheus' text form. */
import type { Recorder } from '#lib/runner/recorder/recorder.ts';
import { prometheusType, type Sample } from '#lib/runner/recorder/prometheus.ts';
import type { Route } from '#lib/runner/router.ts';
import type { Resident } from '#lib/runner/scheduler/request.ts';
import type { Scheduler } from '#lib/runner/scheduler/scheduler.ts';

export interface MetricsPorts {
  readonly recorder: Recorder;
  readonly scheduler: Pick<Scheduler, 'queued' | 'residents'>;
}

export function metricsRoutes({ recorder, scheduler }: MetricsPorts): readonly Route[] {
  return [
    {
      method: 'GET',
      pattern: '/metrics',
      handle: () =>
        new Response(
          recorder.metrics.toText({
            queued: scheduler.queued,
            resident: scheduler.residents.map(sampleOf),
          }),
          { headers: { 'content-type': prometheusType } },
        ),
    },
  ];
}

function sampleOf({ request, engine, sizeBytes }: Resident): Sample {
  return { labels: { model: request.name, engine: engine ?? '', mode: request.mode }, value: sizeBytes };
}
