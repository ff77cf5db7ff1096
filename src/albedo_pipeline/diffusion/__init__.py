"""Noise, schedules, losses, seeds: pure functions of tensors."""
