"""Operations: how the whole installation does, for its staff."""
