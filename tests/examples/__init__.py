"""The examples of the vendor's documentation, as shapes of our own: a file each.

A file says what of its shape is *documented* (there is such an example, with these calls, fields and literals) and what is
*reconstructed* (what we had to make up around it). Each passes against the server as it stands, and since the tests take
their server from the pytest plugin, each fails if it sets off a finding that is a warning.
"""
