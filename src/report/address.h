/* Addresses as device software writes them (spec/device-reports.md, section 5 rule 8). */
#ifndef REPORT_ADDRESS_H
#define REPORT_ADDRESS_H

#include "report/report.h"

/* An IPv4 or IPv6 address alone. False, and nothing set, when it is none. */
bool address_parse(struct view s, struct report_addr *ret);

/* The address of "a.b.c.d:port", "[v6]:port", "v6:port" (split at the last colon), or of an address
 * without port. */
bool address_of_remote(struct view s, struct report_addr *ret);

#endif
