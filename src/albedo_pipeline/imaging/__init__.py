"""Colour, exposure, masks, resizing, image files. Arrays are numpy, [H, W, C], until the end."""
