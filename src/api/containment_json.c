#include "api/containment_json.h"

#include "event/event.h"

#include <glib.h>
#include <inttypes.h>

static void set_text(json_t *item, const char *member, const char *value)
{
	if (*value)
		(void)json_object_set_new(item, member, json_string(value));
}

static void set_time(json_t *item, const char *member, int64_t ms)
{
	if (ms)
		(void)json_object_set_new(item, member, json_integer(ms));
}

json_t *containment_json(const struct containment *c)
{
	g_autofree char *id = g_strdup_printf("%" PRId64, c->id);
	json_t *item = json_object();
	set_text(item, "containmentId", id);
	set_text(item, "kind", contain_kind_word(c->is.kind));
	set_text(item, "target", c->target);
	set_text(item, "detail", c->detail);
	set_text(item, "state", contain_state_word(c->is.state));
	(void)json_object_set_new(item, "generation", json_integer((json_int_t)c->is.generation));
	set_time(item, "requestedTime", c->is.requested_ms);
	set_time(item, "appliedTime", c->is.applied_ms);
	if (c->is.applied_ms)
		(void)json_object_set_new(item, "timeToContainmentMs",
					  json_integer(c->is.applied_ms - c->is.requested_ms));
	set_time(item, "liftedTime", c->lifted_ms);
	set_text(item, "requestId", c->request);
	set_text(item, "accessKeyId", c->key_id);
	return item;
}

static int add_evidence(int64_t at_ms, const char *state, const char *text, void *list)
{
	return json_array_append_new(list, json_pack("{s:I, s:s, s:s}", "time", (json_int_t)at_ms,
						     "state", state, "text", text));
}

static int add_broker(const char *broker, int64_t at_ms, void *list)
{
	return json_array_append_new(
		list, json_pack("{s:s, s:I}", "broker", broker, "appliedTime", (json_int_t)at_ms));
}

static int add_name(const char *name, void *list)
{
	return json_array_append_new(list, json_string(name));
}

int containment_details(struct sql_conn *db, int64_t id, json_t *object)
{
	json_t *certificates = json_array(), *brokers = json_array(), *evidence = json_array();
	(void)json_object_set_new(object, "certificateIds", certificates);
	(void)json_object_set_new(object, "brokers", brokers);
	(void)json_object_set_new(object, "evidence", evidence);
	int r = containment_each_certificate(db, id, add_name, certificates);
	if (r == 0)
		r = containment_each_applied(db, id, add_broker, brokers);
	return r ? r : containment_each_evidence(db, id, add_evidence, evidence);
}

static json_t *end_json(const struct clone_end *end)
{
	static const uint8_t none[CLONE_FINGERPRINT];
	char id[2 * CLONE_FINGERPRINT + 1];
	json_t *item =
		json_pack("{s:s, s:i, s:b, s:b, s:b}", "address", end->address, "keepAliveSeconds",
			  end->keep_alive_s, "cleanSession", end->flags & EVENT_CLEAN, "tls",
			  end->flags & EVENT_TLS, "mqtt5", end->flags & EVENT_MQTT5);
	set_text(item, "clientId", end->client);
	hex_encode(end->fingerprint, sizeof(end->fingerprint), id);
	if (memcmp(end->fingerprint, none, sizeof(none)) != 0)
		set_text(item, "certificateId", id);
	return item;
}

static json_t *reasons_json(const struct clone_case *c)
{
	json_t *list = json_array();
	for (int i = 0; i < CLONE_SIGNS; i++) {
		if (c->seen[i])
			(void)json_array_append_new(list,
						    json_pack("{s:s, s:I}", "reason",
							      clone_sign_text((enum clone_sign)i),
							      "count", (json_int_t)c->seen[i]));
	}
	return list;
}

json_t *clone_case_json(const struct clone_subject *subject, const struct clone_case *c)
{
	json_t *item = json_pack("{s:s, s:I, s:I, s:I, s:[o, o], s:o}", "verdict",
				 clone_verdict_name(c->verdict), "takeovers",
				 (json_int_t)c->takeovers, "firstTime", (json_int_t)c->first_ms,
				 "lastTime", (json_int_t)c->last_ms, "endpoints", end_json(&c->a),
				 end_json(&c->b), "reasons", reasons_json(c));
	set_text(item, subject->is_certificate ? "certificateId" : "clientId", subject->id);
	return item;
}
