"""Raw pairs => pair shards => latent shards; the split, the audit, duplicates."""
