/* KEY(id, name, type, value): what a policy can know of a connection (spec section 10.1), as the
 * variable ${name} and as a condition key. `value` is an expression over `const struct
 * policy_request *request` that gives a view; a view whose p is NULL is a value that is not known.
 * At most 32 rows; a compiled program holds their places: append only. */
KEY(CLIENT_ID, "iot:ClientId", TEXT, request->client_id)
KEY(THING_NAME, "iot:Connection.Thing.ThingName", TEXT, request->thing_name)
KEY(IS_ATTACHED, "iot:Connection.Thing.IsAttached", BOOLEAN,
    request->is_thing_attached ? VIEW_LIT("true") : VIEW_LIT("false"))
KEY(CERTIFICATE_ID, "iot:CertificateId", TEXT, request->certificate_id)
KEY(SOURCE_IP, "aws:SourceIp", ADDRESS, request->source_ip)
