"""The app: predictions and the running training in a browser."""
