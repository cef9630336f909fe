"""What the kit adds to a Jupyter server, and the lessons it copies to a reader's folder."""
