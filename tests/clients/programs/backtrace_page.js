// A page that reports an exception with Backtrace's client for browsers, once to each of the addresses in TARGETS, and
// writes down what the client read of the answers.
import { BacktraceClient, BacktraceStringAttachment } from "@backtrace/browser";

function clicked() {
  throw new RangeError("browser exploded");
}

async function reported(target) {
  const client = BacktraceClient.builder({
    name: "shop",
    version: "1.0.0",
    userAttributes: { tier: "web", application: "shop", "application.version": "3.1.0" },
    metrics: { enable: false },
    captureUnhandledErrors: false,
    attachments: [new BacktraceStringAttachment("notes.txt", "from a browser")],
    ...target,
  }).build();
  try {
    clicked();
  } catch (error) {
    const sent = await client.send(error, { page: "demo" });
    return { status: sent.status, result: sent.result, message: sent.message };
  } finally {
    client.dispose?.();
  }
}

(async () => {
  const said = [];
  // So that the stack of the first error is that of the others.
  await null;
  for (const target of TARGETS) said.push(await reported(target));
  const shown = document.createElement("pre");
  shown.id = "said";
  shown.textContent = JSON.stringify(said);
  document.body.append(shown);
})();
