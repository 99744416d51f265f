"""What a server is started with: the table of settings, `server.yaml` with its keys and fault plan, and whole folders."""
