"""Colour, exposure, masks, resizing and image files, on numpy arrays [H, W, C]."""
