"""Native code at a distance: a server that opens untrusted files in children, and its client."""
