"""Small real inputs and models that tests of several rooms share."""
