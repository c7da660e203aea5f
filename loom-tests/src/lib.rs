//! Fixtures for the models: rings on the heap, and how a model is run.
