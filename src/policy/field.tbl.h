/* FIELD(id, name): what a policy can ask of a certificate, as iot:Certificate.NAME (spec section
 * 10.1). A facts blob holds these places as numbers (policy/facts.h): append only. */
#define FIELDS_OF_NAME(id, name)                                                                   \
	FIELD(id##_COMMON_NAME, name ".CommonName")                                                \
	FIELD(id##_COUNTRY, name ".Country")                                                       \
	FIELD(id##_ORGANIZATION, name ".Organization")                                             \
	FIELD(id##_ORGANIZATIONAL_UNIT, name ".OrganizationalUnit")                                \
	FIELD(id##_STATE, name ".State")                                                           \
	FIELD(id##_SERIAL_NUMBER, name ".SerialNumber")                                            \
	FIELD(id##_DN_QUALIFIER, name ".DistinguishedNameQualifier")                               \
	FIELD(id##_TITLE, name ".Title")                                                           \
	FIELD(id##_SURNAME, name ".Surname")                                                       \
	FIELD(id##_GIVEN_NAME, name ".GivenName")                                                  \
	FIELD(id##_INITIALS, name ".Initials")                                                     \
	FIELD(id##_PSEUDONYM, name ".Pseudonym")                                                   \
	FIELD(id##_GENERATION_QUALIFIER, name ".GenerationQualifier")                              \
	FIELD(id##_RFC822_NAME, name ".AlternativeName.RFC822Name")                                \
	FIELD(id##_DNS_NAME, name ".AlternativeName.DNSName")                                      \
	FIELD(id##_DIRECTORY_NAME, name ".AlternativeName.DirectoryName")                          \
	FIELD(id##_URI, name ".AlternativeName.UniformResourceIdentifier")                         \
	FIELD(id##_IP_ADDRESS, name ".AlternativeName.IPAddress")
FIELDS_OF_NAME(SUBJECT, "Subject")
FIELDS_OF_NAME(ISSUER, "Issuer")
FIELD(SERIAL_NUMBER, "SerialNumber")
#undef FIELDS_OF_NAME
