/* COMPARISON(id, comparisonOperator, kinds of value it compares, is about a set, is negated)
 * What a behavior states is normal: a datapoint for which it does not hold is a violation. An empty list always
 * conforms (spec/detect.md section 1). */
COMPARISON(LESS,           "less-than",           NUMERIC, 0, 0)
COMPARISON(LESS_EQUALS,    "less-than-equals",    NUMERIC, 0, 0)
COMPARISON(GREATER,        "greater-than",        NUMERIC, 0, 0)
COMPARISON(GREATER_EQUALS, "greater-than-equals", NUMERIC, 0, 0)
COMPARISON(IN_CIDRS,       "in-cidr-set",         ADDRS,   1, 0)
COMPARISON(NOT_IN_CIDRS,   "not-in-cidr-set",     ADDRS,   1, 1)
COMPARISON(IN_PORTS,       "in-port-set",         PORTS,   1, 0)
COMPARISON(NOT_IN_PORTS,   "not-in-port-set",     PORTS,   1, 1)
COMPARISON(IN_SET,         "in-set",              LISTS,   1, 0)
COMPARISON(NOT_IN_SET,     "not-in-set",          LISTS,   1, 1)
