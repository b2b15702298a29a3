"""What the service is made of: pins and hashes, licences, known vulnerabilities, a list of parts, no secrets in files.

For those who work on it: `python -m supply COMMAND`; see docs/supply-chain.md.
"""
