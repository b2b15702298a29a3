"""What is uploaded to a project: debug files, releases, artifact bundles."""
