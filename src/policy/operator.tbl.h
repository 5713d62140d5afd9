/* OPERATOR(id, name, form, key type, negated): the condition operators (spec section 10.2). The
 * form says how a value is compiled and compared; the key type which keys the operator may be asked
 * about (ANY: all). Each also exists with the suffix IfExists. A compiled program holds their
 * places: append only. */
OPERATOR(BOOL, "Bool", BOOLEAN, BOOLEAN, false)
OPERATOR(STRING_EQUALS, "StringEquals", LITERAL, ANY, false)
OPERATOR(STRING_NOT_EQUALS, "StringNotEquals", LITERAL, ANY, true)
OPERATOR(STRING_LIKE, "StringLike", GLOB, ANY, false)
OPERATOR(STRING_NOT_LIKE, "StringNotLike", GLOB, ANY, true)
OPERATOR(IP_ADDRESS, "IpAddress", ADDRESS, ADDRESS, false)
OPERATOR(NOT_IP_ADDRESS, "NotIpAddress", ADDRESS, ADDRESS, true)
