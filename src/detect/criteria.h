/* Does a datapoint conform to what a behavior states is normal? (spec/detect.md section 1: the ten
 * operators; an empty list always conforms.) Pure. */
#ifndef DETECT_CRITERIA_H
#define DETECT_CRITERIA_H

#include "detect/config.h"
#include "detect/detect.h"

/* The value's kind fits the behavior's (form.h sees to it). */
bool criteria_hold(const struct behavior *b, const struct value *v);

/* IPv4 addresses are kept as IPv4-mapped IPv6 ones. */
bool addr_is_v4(const struct report_addr *addr);

/* Byte order of two struct view, for qsort and bsearch. */
int view_order(const void *a, const void *b);

#endif
