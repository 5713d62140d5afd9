#include "registry/facts.h"

#include "policy/facts_write.h"
#include "registry/attributes.h"

void facts_of_thing(const char *attributes, GByteArray *out)
{
	const char *name;
	json_t *value, *map = attributes_json(attributes);
	json_object_foreach(map, name, value)
		facts_add_attribute(out, view_of(name), view_of(json_string_value(value)));
	json_decref(map);
}

void facts_of_certificate(const struct x509_facts *certificate, GByteArray *out)
{
	enum policy_field field;
	for (size_t i = 0; i < certificate->n_attributes; i++) {
		const struct x509_attribute *attribute = &certificate->attributes[i];
		if (facts_field_of(attribute->name, &field))
			facts_add_field(out, field, (struct view){attribute->value, attribute->n});
	}
	facts_add_field(out, FIELD_SERIAL_NUMBER, view_of(certificate->serial));
}
