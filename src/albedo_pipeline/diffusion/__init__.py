"""Noise, its schedule, the losses and the random generators: pure functions of tensors."""
