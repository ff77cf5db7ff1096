"""Raw pairs => pair shards => latent shards; the manifest, the audit, duplicates."""
