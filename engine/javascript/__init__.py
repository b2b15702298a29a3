"""JavaScript: from a minified position to the line that somebody wrote."""
