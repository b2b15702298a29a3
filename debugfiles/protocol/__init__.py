"""The upload protocol of sentry-cli and its relatives: chunks first, then files that are assembled from them."""
