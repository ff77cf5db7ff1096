"""The loop, one optimiser step, batches, resume, validation, schedules, log."""
