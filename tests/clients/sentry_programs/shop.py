"""A program that fails, and tells Sentry's client for Python: `shop.py DSN CODING`. Prints the ids of its events."""

import sys

import sentry_sdk

sentry_sdk.init(
    sys.argv[1],
    release="shop@1.2",
    environment="prod",
    _experiments={"transport_compression_algo": sys.argv[2]},
)
sentry_sdk.set_tag("color", "red")
sentry_sdk.set_tag("note", "half a \ud83d pair, \0")
sentry_sdk.set_user({"id": "7"})
sentry_sdk.get_isolation_scope().add_attachment(bytes=b"first line\nsecond line\n", filename="shop.log")


def price(item: str) -> float:
    password = "hunter2"  # noqa: F841 - clients send what variables hold
    return {"tea": 1.0}[item]


try:
    try:
        price("coffee")
    except KeyError as error:
        raise RuntimeError("no price") from error
except RuntimeError:
    print(sentry_sdk.capture_exception())
print(sentry_sdk.capture_message("stock is low", level="warning"))
sentry_sdk.flush()
