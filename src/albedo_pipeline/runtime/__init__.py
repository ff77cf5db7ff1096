"""Progress, parallel maps, processes and devices, locks, atomic files."""
