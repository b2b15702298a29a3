// A program that reports an exception with Backtrace's client for Node: `url token late-file`, without a token the URL
// says all. Prints what the client says of it, and of the attachment that it sends afterwards.
const { BacktraceClient, BacktraceFileAttachment, BacktraceStringAttachment } = require("@backtrace/node");

const [, , url, token, late] = process.argv;
const client = BacktraceClient.initialize({
  url,
  ...(token ? { token } : {}),
  userAttributes: { application: "shop", "application.version": "2.0.1", big: 12345678901234567890n },
  attachments: [new BacktraceStringAttachment("notes.txt", "hello from node")],
  metrics: { enable: false },
  database: { enable: false },
  captureUnhandledErrors: false,
});

function checkout() {
  throw new TypeError("node exploded");
}

(async () => {
  client.breadcrumbs.info("put into the cart", { item: "tea" });
  try {
    checkout();
  } catch (error) {
    const sent = await client.send(error, { extra: 1 });
    console.log(JSON.stringify({ status: sent.status, result: sent.result, message: sent.message }));
    if (late) {
      // The client has no public call for it.
      const submission = client._reportSubmission ?? client.reportSubmission;
      const more = await submission.sendAttachment(sent.result._rxid, new BacktraceFileAttachment(late, "late.txt"));
      console.log(JSON.stringify({ status: more.status, result: more.result, message: more.message }));
    }
  }
  process.exit(0);
})();
