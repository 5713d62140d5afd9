/* Within the policy module: what condition operators compare besides text (spec section 10.2). Both
 * sides, the policy's value and the request's, are read by the same functions; text that is none
 * of the kind gives false. Plain C11, no allocation. */
#ifndef POLICY_OPERAND_H
#define POLICY_OPERAND_H

#include "base/view.h"

#include <stdint.h>

/* A decimal number as its digits, so that comparing is exact whatever their count: an optional
 * sign, digits, and optionally a point and digits. */
struct number {
	bool is_negative;
	struct view whole, fraction; /* without zeros at their outer ends */
};
bool number_read(struct view text, struct number *ret);
/* Below 0, 0, above 0: a before, equal to, behind b. */
int number_compare(const struct number *a, const struct number *b);

/* A point in time: "2026-03-01", "2026-03-01T10:20Z", "2026-03-01T10:20:30.5+02:00" (UTC when no
 * zone is given), or seconds since the epoch. */
struct instant {
	int64_t seconds;
	uint32_t nanoseconds;
};
bool instant_read(struct view text, struct instant *ret);
int instant_compare(const struct instant *a, const struct instant *b);

/* "true" or "false", in any case. */
bool truth_read(struct view text, bool *ret);

/* 16 bytes, an IPv4 address in its mapped form. A zone ("%eth0") is left out. */
bool address_read(struct view text, uint8_t ret[16]);
/* Does the network, `bits` long, hold the address? An IPv4 network (at least 96 bits, mapped) holds
 * none of IPv6, and the other way round. */
bool address_is_inside(const uint8_t address[16], const uint8_t network[16], unsigned bits);

#endif
