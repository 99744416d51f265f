"""What a server is started with: the table of settings, `server.yaml`, and the faults in it."""
