"""The contract as properties that judge any server; `labs-mock[conformance]` installs what it needs."""
