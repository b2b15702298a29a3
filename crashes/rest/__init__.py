"""Our own REST for crashes and their groups, below `/api/0/projects/{organization}/{project}/crashes/`."""
