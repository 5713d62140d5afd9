/* The log line of a refusal, for tools that block addresses (docs/denials.md tells its form):
 *
 *   denied 192.0.2.7 cause=certificate-unknown action=tls count=12 certificate=- client="" ...
 *
 * The address comes first and is an address or '-'; all that a client or an operator chose stands
 * in quotes behind it, printable ASCII with '"' and '\' and the rest as \xHH. So no client can make
 * a line that names another's address. A refusal that was only observed is "would-deny". */
#ifndef LEDGER_LINE_H
#define LEDGER_LINE_H

#include "event/event.h"

/* The caller frees it with g_free. */
char *denial_line(struct view broker, const struct event_refused *e) MUST_USE;

#endif
