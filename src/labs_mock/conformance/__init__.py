"""The contract as properties that check any server; `labs-mock[conformance]` installs what it needs."""
