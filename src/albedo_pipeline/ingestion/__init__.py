"""From raw pairs to pair shards: the stream, the split, the tables about it."""
