"""Training: the loop, one optimiser step, batches, resume, validation, schedules and log."""
