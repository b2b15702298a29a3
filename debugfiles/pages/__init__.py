"""Pages of uploads: what a project has, what came when, uploading, and for how long things are kept."""
