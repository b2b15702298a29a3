// A program that fails, and tells Sentry's client for Node: `shop.js DSN`. Prints the ids of its events.
const Sentry = require("@sentry/node");

Sentry.init({ dsn: process.argv[2], release: "shop@1.2", environment: "prod", tracesSampleRate: 1 });
Sentry.setTag("color", "red");
Sentry.setTag("note", "half a \ud83d pair, \0");
Sentry.getCurrentScope().addAttachment({ filename: "shop.log", data: "first line\nsecond line\n" });

function price(item) {
  return item.price.value;
}

try {
  try {
    price({});
  } catch (error) {
    throw new Error("no price", { cause: error });
  }
} catch (error) {
  console.log(Sentry.captureException(error));
}
console.log(Sentry.captureMessage("stock is low", "warning"));
Sentry.startSpan({ name: "a transaction" }, () => {});
Sentry.flush(10000).then((done) => process.exit(done ? 0 : 1));
