/** An endless event stream that stops when its request is aborted. */
export function tokenStream(signal: AbortSignal, contentType = 'text/event-stream'): Response {
  let timer: ReturnType<typeof setInterval> | undefined;
  const body = new ReadableStream({
    start(controller) {
      const send = () => controller.enqueue(new TextEncoder().encode('data: token\n\n'));
      timer = setInterval(send, 5);
      signal.addEventListener('abort', () => clearInterval(timer));
    },
    cancel: () => clearInterval(timer),
  });
  return new Response(body, { headers: { 'content-type': contentType } });
}
