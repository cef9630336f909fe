"""What a Jupyter server and a reader's folder get from the kit."""
