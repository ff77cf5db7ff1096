"""The project's Kedro datasets: raw pairs, pair and latent shards, models."""
