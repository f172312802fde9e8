"""Parameters and multiply-accumulates of models, counted on graphs."""
