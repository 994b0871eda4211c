"""How long a server is waited for beside reading, the same at all of them."""

PING_S = 5.0
ANSWER_S = 30.0
"""For what is no work to a server unless a lock holds it up; reading has the query's own limit."""
PATIENCE = 3
"""The server's limit is so many times the query's: it counts also the time that we let it wait."""
LOGIN_SHARE = 0.9
"""Of the connect limit, so that the failure is ours and names the host."""
