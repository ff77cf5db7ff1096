"""Programs that kill, fill and feed the pipelines for minutes: `python -m tests.endurance.NAME`."""
