"""The pages of crashes."""
