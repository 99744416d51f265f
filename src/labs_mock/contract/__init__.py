"""The wire contract: what is sent and accepted under `/api/v1`, clause by clause."""
