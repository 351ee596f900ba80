// Server-sent events, read as their bytes come.

/** The data of each event of a stream. What is no whole event when the stream ends is left out. */
export async function* eventsOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const reader = body.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader();
  let waiting = "";
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      waiting += next.value;
      const blocks = waiting.split(/\r?\n\r?\n/);
      waiting = blocks.pop() ?? "";
      for (const block of blocks) {
        const data = dataOf(block);
        if (data !== "") yield data;
      }
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

/** Its `data:` lines; comments, which keep a connection alive, have none. */
function dataOf(block: string): string {
  const lines = block.split(/\r?\n/).filter((line) => line.startsWith("data:"));
  return lines.map((line) => line.slice(5).replace(/^ /, "")).join("\n");
}
