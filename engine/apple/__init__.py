"""Apple's crash reports: text, JSON and the protobufs of PLCrashReporter."""
