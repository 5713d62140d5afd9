/* What a listener as a whole means once it is enforced, a row each: RULE(traits it has, traits it
 * lacks, effect, says, cure). What single options mean stands in option.tbl.h. */
RULE(UNIX_SOCKET, 0, REFUSES,
     "clients of a unix socket have no certificate, and it has no port: plugin_opt_mode rules it",
     NULL)
RULE(0, TLS | UNIX_SOCKET | WEBSOCKETS | PSK, REFUSES,
     "without TLS no client has a certificate: every client is refused",
     "a listener with certfile, keyfile and require_certificate true; or leave this one in observe "
     "mode")
RULE(TLS, ASKS_CERTIFICATE | WEBSOCKETS, REFUSES, "clients that show no certificate are refused",
     "require_certificate true, when `thingward would-refuse` lists none")
RULE(SHARED_PORT, 0, CHANGES, "another listener has the same port: plugin_opt_mode_PORT means both",
     "give them ports of their own to enforce one")
