"""For all tests: Keras is prepared before any of them imports it."""

from cnnmem.frameworks.availability import prepare_keras

prepare_keras()
