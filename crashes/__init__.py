"""What crash clients send."""
