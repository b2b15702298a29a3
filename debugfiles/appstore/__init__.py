"""The import of dSYM files from App Store Connect: which builds there are, which were fetched, and what went wrong."""
