"""Reports by clients of Sentry: keys and DSNs, envelopes, events and minidumps."""
