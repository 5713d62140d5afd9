/* KEY(id, name, shape, value): what a policy can know of a connection (spec section 10.1), as the
 * variable ${name} and as a condition key. Letter case in names does not count. `value` is a
 * function of known.c. A compiled program holds their places.
 *
 * shape   ONE    one text
 *         ARN    one topic, seen as its ARN
 *         LIST   several texts: no text for a variable
 *         NAMED  a family: behind the name stands an attribute's name and ']'
 *         FIELD  a family: behind the name stands one of field.tbl.h, and .1 to .4 or .List
 *         NEVER  every other name: no request has it */
KEY(CLIENT_ID, "iot:ClientId", ONE, client_id)
KEY(SOURCE_IP, "aws:SourceIp", ONE, source_ip)
KEY(DOMAIN_NAME, "iot:DomainName", ONE, domain_name)
KEY(CERTIFICATE_ID, "iot:CertificateId", ONE, certificate_id)
KEY(THING_NAME, "iot:Connection.Thing.ThingName", ONE, thing_name)
KEY(THING_TYPE, "iot:Connection.Thing.ThingTypeName", ONE, thing_type)
KEY(IS_ATTACHED, "iot:Connection.Thing.IsAttached", ONE, is_attached)
KEY(ATTRIBUTE, "iot:Connection.Thing.Attributes[", NAMED, attribute)
KEY(CONNECT_ATTRIBUTES, "iot:ConnectAttributes", LIST, connect_attributes)
KEY(LAST_WILL_TOPIC, "iot:LastWillTopic", ARN, last_will_topic)
KEY(AVAILABLE_KEYS, "iot:Certificate.AvailableKeys", LIST, available_keys)
KEY(CERTIFICATE, "iot:Certificate.", FIELD, certificate)
KEY(UNKNOWN, "", NEVER, never)
