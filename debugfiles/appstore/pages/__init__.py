"""The page of imports from App Store Connect."""
