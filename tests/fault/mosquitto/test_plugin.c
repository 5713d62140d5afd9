/* wraps: malloc calloc realloc strdup mmap */
/* The whole plugin, in a broker that is made up here and asks as Mosquitto 2.0 does: whichever
 * allocation fails, it goes on, loses no memory, and lets nobody do what the rules do not allow.
 * The n-th fails, for n = 1 until none is left to fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <cmocka.h>

#include <glib.h>
#include <glib/gstdio.h>
#include <mosquitto.h>
#include <mosquitto_broker.h>
#include <mosquitto_plugin.h>
#include <openssl/ec.h>
#include <openssl/x509.h>

#include "broker/snapshot_write.h"
#include "mosquitto/hex.h"
#include "mosquitto/plugin.h"
#include "failing_memory.h"
#include "policy/policy.h"

#define IDENT_CLIENT  2
#define CALLBACKS_MAX 16
#define OPTIONS       7
#define STEPS         20000
#define POLLS         20 /* until a snapshot that was refused has been tried again */

/* ---- The broker ---- */

struct mosquitto {
	int ident, sock;
	const char *id;
	char *username;
	X509 *cert;
	bool is_open;
};

enum { GOOD, AGAIN, STRANGER, NAMED, CLIENTS };

/* The plugin's interface has no context for most of its calls. */
static struct {
	struct {
		int event;
		MOSQ_FUNC_generic_callback callback;
		void *userdata;
	} rows[CALLBACKS_MAX];
	size_t n;
	struct mosquitto clients[CLIENTS];
	unsigned refusals; /* that its log tells of */
	unsigned let_in;
} broker;

int mosquitto_callback_register(mosquitto_plugin_id_t *id, int event,
				MOSQ_FUNC_generic_callback callback, const void *data,
				void *userdata)
{
	(void)id;
	(void)data;
	if (event > MOSQ_EVT_DISCONNECT)
		return MOSQ_ERR_NOT_SUPPORTED;
	assert_true(broker.n < CALLBACKS_MAX);
	broker.rows[broker.n].event = event;
	broker.rows[broker.n].callback = callback;
	broker.rows[broker.n++].userdata = userdata;
	return MOSQ_ERR_SUCCESS;
}

int mosquitto_callback_unregister(mosquitto_plugin_id_t *id, int event,
				  MOSQ_FUNC_generic_callback callback, const void *data)
{
	(void)id;
	(void)data;
	for (size_t i = 0; i < broker.n; i++)
		if (broker.rows[i].event == event && broker.rows[i].callback == callback) {
			broker.n--;
			memmove(&broker.rows[i], &broker.rows[i + 1],
				(broker.n - i) * sizeof(broker.rows[0]));
			return MOSQ_ERR_SUCCESS;
		}
	return MOSQ_ERR_NOT_FOUND;
}

static int ask(int event, void *data)
{
	int rc = MOSQ_ERR_PLUGIN_DEFER;
	for (size_t i = 0; i < broker.n && rc == MOSQ_ERR_PLUGIN_DEFER; i++)
		if (broker.rows[i].event == event)
			rc = broker.rows[i].callback(event, data, broker.rows[i].userdata);
	return rc;
}

const char *mosquitto_client_id(const struct mosquitto *c)
{
	return c->id;
}

const char *mosquitto_client_address(const struct mosquitto *c)
{
	(void)c;
	return "192.0.2.1";
}

const char *mosquitto_client_username(const struct mosquitto *c)
{
	return c->username;
}

bool mosquitto_client_clean_session(const struct mosquitto *c)
{
	(void)c;
	return true;
}

int mosquitto_client_keepalive(const struct mosquitto *c)
{
	(void)c;
	return 60;
}

void *mosquitto_client_certificate(const struct mosquitto *c)
{
	if (c->cert)
		X509_up_ref(c->cert);
	return c->cert;
}

int mosquitto_client_protocol(const struct mosquitto *c)
{
	(void)c;
	return mp_mqtt;
}

int mosquitto_client_protocol_version(const struct mosquitto *c)
{
	(void)c;
	return 4;
}

int mosquitto_set_username(struct mosquitto *c, const char *username)
{
	char *copy = username ? strdup(username) : NULL;
	if (username && !copy)
		return MOSQ_ERR_NOMEM;
	free(c->username);
	c->username = copy;
	return MOSQ_ERR_SUCCESS;
}

int mosquitto_broker_publish_copy(const char *client_id, const char *topic, int n,
				  const void *payload, int qos, bool retain,
				  mosquitto_property *properties)
{
	(void)client_id;
	(void)topic;
	(void)n;
	(void)payload;
	(void)qos;
	(void)retain;
	(void)properties;
	return MOSQ_ERR_SUCCESS;
}

/* A notice of the plugin's is one text. */
void mosquitto_log_printf(int level, const char *fmt, ...)
{
	va_list args;
	if (level != MOSQ_LOG_NOTICE || strcmp(fmt, "thingward: %s") != 0)
		return;
	va_start(args, fmt);
	broker.refusals += strstr(va_arg(args, const char *), "refused iot:Connect") != NULL;
	va_end(args);
}

static int check(struct mosquitto *c, int access, const char *topic)
{
	struct mosquitto_evt_acl_check e = {
		.client = c, .topic = topic, .access = access, .payload = "{}", .payloadlen = 2};
	return ask(MOSQ_EVT_ACL_CHECK, &e);
}

/* With its will, which comes after. */
static void leave(struct mosquitto *c)
{
	struct mosquitto_evt_disconnect e = {.client = c, .reason = -1};
	c->is_open = false;
	(void)ask(MOSQ_EVT_DISCONNECT, &e);
	if (c->id)
		(void)check(c, MOSQ_ACL_WRITE, "good/will");
}

int mosquitto_kick_client_by_clientid(const char *client_id, bool with_will)
{
	(void)with_will;
	for (size_t i = 0; i < CLIENTS; i++)
		if (broker.clients[i].is_open && strcmp(broker.clients[i].id, client_id) == 0)
			leave(&broker.clients[i]);
	return MOSQ_ERR_SUCCESS;
}

/* Who is open by this client id leaves in between, as the broker does it. */
static int come(struct mosquitto *c, const char *client_id)
{
	c->id = client_id;
	struct mosquitto_evt_basic_auth e = {.client = c, .username = c->username};
	int rc = ask(MOSQ_EVT_BASIC_AUTH, &e);
	if (rc != MOSQ_ERR_SUCCESS && rc != MOSQ_ERR_PLUGIN_DEFER) {
		c->id = NULL;
		leave(c);
		return rc;
	}
	(void)mosquitto_kick_client_by_clientid(client_id, true);
	c->is_open = true;
	broker.let_in++;
	return rc;
}

static void tick(void)
{
	struct mosquitto_evt_tick e = {0};
	(void)ask(MOSQ_EVT_TICK, &e);
}

/* SIGHUP. */
static void reload(void)
{
	struct mosquitto_evt_reload e = {0};
	(void)ask(MOSQ_EVT_RELOAD, &e);
	for (size_t i = 0; i < CLIENTS; i++) {
		struct mosquitto *c = &broker.clients[i];
		struct mosquitto_evt_basic_auth auth = {.client = c, .username = c->username};
		if (c->is_open && ask(MOSQ_EVT_BASIC_AUTH, &auth) == MOSQ_ERR_AUTH)
			leave(c);
	}
	tick();
}

/* ---- What it decides by ---- */

static const char document[] =
	"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":"
	"[\"iot:Connect\",\"iot:Publish\",\"iot:Subscribe\",\"iot:Receive\"],\"Resource\":"
	"[\"arn:aws:iot:us-east-1:123456789012:client/good\","
	"\"arn:aws:iot:us-east-1:123456789012:topic/good/*\","
	"\"arn:aws:iot:us-east-1:123456789012:topic/$aws/things/good/*\","
	"\"arn:aws:iot:us-east-1:123456789012:topicfilter/good/*\"]}]}";

struct world {
	char *dir, *snapshot;
	X509 *good, *stranger;
	struct mosquitto_opt options[OPTIONS];
	size_t n_options;
	bool has_come; /* the good one, when nothing failed */
};

static X509 *new_cert(long serial)
{
	X509 *cert = X509_new();
	EVP_PKEY *key = EVP_EC_gen("P-256");
	assert_true(ASN1_INTEGER_set(X509_get_serialNumber(cert), serial));
	assert_non_null(X509_gmtime_adj(X509_getm_notBefore(cert), 0));
	assert_non_null(X509_gmtime_adj(X509_getm_notAfter(cert), 3600));
	assert_true(X509_set_pubkey(cert, key));
	assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
	EVP_PKEY_free(key);
	return cert;
}

static void write_rules(const struct world *w, uint64_t generation,
			enum snapshot_cert_status status)
{
	static const char *const name = "good";
	struct snapshot_builder *b = snapshot_builder_new();
	struct snapshot_new_cert cert = {.status = status,
					 .not_after = INT64_MAX,
					 .things = &name,
					 .policies = &name,
					 .n_things = 1,
					 .n_policies = 1};
	struct policy_program program;
	struct fault fault = {0};
	assert_int_equal(policy_compile(view_of(document), 2048, &program, &fault), 0);
	assert_int_equal(trust_fingerprint(w->good, cert.fingerprint), 0);
	snapshot_add_account(b, "aws", "us-east-1", "123456789012");
	snapshot_add_policy(b, name, 1, (struct view){(const char *)program.bytes, program.n});
	snapshot_add_thing(b, name, (struct view){0}, NULL, 0);
	snapshot_add_cert(b, &cert);
	assert_int_equal(snapshot_write(w->snapshot, b, generation, 0600, (gid_t)-1), 0);
	policy_program_clear(&program);
	snapshot_builder_free(b);
}

static int set_up(void **state)
{
	struct world *w = g_new0(struct world, 1);
	w->dir = g_dir_make_tmp("thingward-plugin-XXXXXX", NULL);
	assert_non_null(w->dir);
	w->snapshot = g_build_filename(w->dir, "snapshot", NULL);
	w->good = new_cert(1);
	w->stranger = new_cert(2);
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;
	(void)g_unlink(w->snapshot);
	int r = g_rmdir(w->dir);
	X509_free(w->good);
	X509_free(w->stranger);
	g_free(w->snapshot);
	g_free(w->dir);
	g_free(w);
	return r;
}

/* ---- A life ---- */

static void give_option(struct world *w, const char *key, const char *value)
{
	w->options[w->n_options].key = g_strdup(key);
	w->options[w->n_options++].value = g_strdup(value);
}

/* Given to free. */
static char *fingerprint_words(const X509 *cert)
{
	uint8_t fingerprint[EVENT_FINGERPRINT];
	char words[2 * EVENT_FINGERPRINT + 1];
	assert_int_equal(trust_fingerprint(cert, fingerprint), 0);
	hex_write(fingerprint, sizeof(fingerprint), words);
	return __real_strdup(words);
}

static void *begin(struct world *w, const char *mode)
{
	g_autofree char *uid = g_strdup_printf("%u", geteuid());
	void *plugin = NULL;
	memset(&broker, 0, sizeof(broker));
	for (size_t i = 0; i < CLIENTS; i++) {
		broker.clients[i].ident = IDENT_CLIENT;
		broker.clients[i].sock = -1;
	}
	broker.clients[GOOD].cert = broker.clients[AGAIN].cert = w->good;
	broker.clients[STRANGER].cert = w->stranger;
	broker.clients[NAMED].username = __real_strdup("somebody");
	give_option(w, "snapshot", w->snapshot);
	give_option(w, "channel", "/nonexistent/channel");
	give_option(w, "daemon_uid", uid);
	give_option(w, "mode", mode);
	give_option(w, "identities", "8");
	give_option(w, "refusal_rows", "8");
	int rc = mosquitto_plugin_init((mosquitto_plugin_id_t *)(void *)&broker, &plugin,
				       w->options, (int)w->n_options);
	return rc == MOSQ_ERR_SUCCESS ? plugin : NULL;
}

static void end(struct world *w, void *plugin)
{
	if (plugin)
		assert_int_equal(mosquitto_plugin_cleanup(plugin, NULL, 0), MOSQ_ERR_SUCCESS);
	assert_int_equal(broker.n, 0);
	for (size_t i = 0; i < CLIENTS; i++)
		free(broker.clients[i].username);
	while (w->n_options) {
		w->n_options--;
		g_free(w->options[w->n_options].key);
		g_free(w->options[w->n_options].value);
	}
}

static void act(struct mosquitto *c)
{
	static char topic[] = "$aws/things/good/defender/metrics/json", report[] = "{}";
	struct mosquitto_evt_message e = {
		.client = c, .topic = topic, .payload = report, .payloadlen = sizeof(report) - 1};
	(void)check(c, MOSQ_ACL_SUBSCRIBE, "good/#");
	(void)check(c, MOSQ_ACL_READ, "good/news");
	(void)check(c, MOSQ_ACL_WRITE, topic);
	(void)ask(MOSQ_EVT_MESSAGE, &e);
}

static bool may_publish(int rc)
{
	return rc == MOSQ_ERR_SUCCESS || rc == MOSQ_ERR_PLUGIN_DEFER;
}

/* The certificate is taken back, and the broker reloads until that must be in force. */
static void take_back(const struct world *w)
{
	size_t left = until_failure;
	until_failure = 0;
	write_rules(w, 2, SNAPSHOT_CERT_INACTIVE);
	until_failure = left;
	for (unsigned i = 0; i < POLLS; i++)
		reload();
}

static void live_enforced(struct world *w)
{
	struct mosquitto *c = broker.clients;
	tick();
	w->has_come = come(&c[GOOD], "good") == MOSQ_ERR_SUCCESS;
	assert_int_equal(broker.refusals, w->has_come ? 0 : 1);
	assert_int_not_equal(come(&c[STRANGER], "stranger"), MOSQ_ERR_SUCCESS);
	assert_int_not_equal(come(&c[NAMED], "good"), MOSQ_ERR_SUCCESS);
	act(&c[GOOD]);
	assert_false(may_publish(check(&c[GOOD], MOSQ_ACL_WRITE, "other/door")));
	tick();
	(void)come(&c[AGAIN], "good");
	act(&c[AGAIN]);
	take_back(w);
	assert_false(c[GOOD].is_open || c[AGAIN].is_open);
	assert_int_not_equal(come(&c[GOOD], "good"), MOSQ_ERR_SUCCESS);
}

/* Nobody is refused anything. */
static void live_observed(struct world *w)
{
	struct mosquitto *c = broker.clients;
	tick();
	for (size_t i = 0; i < CLIENTS; i++) {
		assert_true(may_publish(come(&c[i], i == STRANGER ? "stranger" : "good")));
		act(&c[i]);
		assert_true(may_publish(check(&c[i], MOSQ_ACL_WRITE, "other/door")));
		tick();
	}
	take_back(w);
	assert_true(c[NAMED].is_open && c[STRANGER].is_open);
	leave(&c[STRANGER]);
	w->has_come = true;
}

static const struct {
	const char *mode;
	void (*live)(struct world *w);
} modes[] = {
	{"enforce", live_enforced},
	{"observe", live_observed},
};

/* True when an allocation failed on the way. */
static bool live_until(struct world *w, size_t mode, size_t failure)
{
	write_rules(w, 1, SNAPSHOT_CERT_ACTIVE);
	until_failure = failure;
	void *plugin = begin(w, modes[mode].mode);
	if (plugin)
		modes[mode].live(w);
	end(w, plugin);
	bool has_failed = until_failure == 0;
	until_failure = 0;
	return has_failed;
}

static void test_each_allocation_may_fail(void **state)
{
	struct world *w = *state;
	for (size_t mode = 0; mode < G_N_ELEMENTS(modes); mode++) {
		size_t n = 1;
		while (live_until(w, mode, n))
			n++;
		assert_true(n > 40);
		assert_true(w->has_come);
	}
}

/* The broker's object is another client's, and nobody told that the one before has ended: what it
 * does is not the other's will. */
static void test_an_object_that_was_given_again(void **state)
{
	struct world *w = *state;
	struct mosquitto *c = &broker.clients[GOOD];
	write_rules(w, 1, SNAPSHOT_CERT_ACTIVE);
	void *plugin = begin(w, "enforce");
	tick();
	assert_int_equal(come(c, "good"), MOSQ_ERR_SUCCESS);
	c->cert = w->stranger;
	struct mosquitto_evt_basic_auth e = {.client = c, .username = c->username};
	assert_int_equal(ask(MOSQ_EVT_BASIC_AUTH, &e), MOSQ_ERR_AUTH);
	assert_false(may_publish(check(c, MOSQ_ACL_WRITE, "good/door")));
	end(w, plugin);
}

/* ---- Any order ---- */

static void step_come(struct mosquitto *c, unsigned chance)
{
	static const char *const ids[] = {"good", "stranger", ""};
	if (c->is_open)
		return;
	bool may_come = c->cert == broker.clients[GOOD].cert && chance % 3 == 0;
	int rc = come(c, ids[chance % 3]);
	assert_true(may_come || !may_publish(rc));
}

static void step_leave(struct mosquitto *c, unsigned chance)
{
	(void)chance;
	if (c->is_open)
		leave(c);
}

static void step_act(struct mosquitto *c, unsigned chance)
{
	static const char *const topics[] = {"other/door", "$aws/things/other/x", "good\n", "#"};
	if (!c->is_open)
		return;
	act(c);
	assert_false(may_publish(check(c, MOSQ_ACL_WRITE, topics[chance % 4])));
}

static void step_tick(struct mosquitto *c, unsigned chance)
{
	(void)c;
	(void)chance;
	tick();
}

static void step_reload(struct mosquitto *c, unsigned chance)
{
	(void)c;
	if (chance % 8 == 0)
		reload();
}

static void step_fail(struct mosquitto *c, unsigned chance)
{
	(void)c;
	until_failure = chance % 16;
}

static void test_any_order(void **state)
{
	static void (*const steps[])(struct mosquitto * c, unsigned chance) = {
		step_come, step_come, step_leave,  step_act,
		step_act,  step_tick, step_reload, step_fail};
	struct world *w = *state;
	uint32_t chance = 1;
	write_rules(w, 1, SNAPSHOT_CERT_ACTIVE);
	void *plugin = begin(w, "enforce");
	for (unsigned i = 0; i < STEPS; i++) {
		chance = chance * 1664525 + 1013904223;
		steps[chance >> 29](&broker.clients[chance >> 27 & 3], chance >> 16 & 255);
	}
	until_failure = 0;
	assert_true(broker.let_in > STEPS / 100);
	end(w, plugin);
}

/* While a client is away its name says who it is: one that it gave itself must not. */
static void test_a_name_that_is_anothers_fingerprint(void **state)
{
	struct world *w = *state;
	struct mosquitto *c = &broker.clients[NAMED];
	write_rules(w, 1, SNAPSHOT_CERT_ACTIVE);
	for (size_t mixed = 0; mixed < 2; mixed++) {
		if (mixed)
			give_option(w, "mode_8883", "enforce");
		void *plugin = begin(w, "observe");
		free(c->username);
		c->username = fingerprint_words(w->good);
		tick();
		assert_int_equal(come(c, "good"), MOSQ_ERR_PLUGIN_DEFER);
		leave(c);
		tick();
		assert_int_equal(check(c, MOSQ_ACL_READ, "good/news"), MOSQ_ERR_PLUGIN_DEFER);
		assert_int_equal(check(c, MOSQ_ACL_READ, "other"), MOSQ_ERR_PLUGIN_DEFER);
		end(w, plugin);
	}
}

/* Named by us, it is judged as if it were there. */
static void test_who_is_away_is_judged_by_name(void **state)
{
	struct world *w = *state;
	struct mosquitto *c = &broker.clients[GOOD];
	write_rules(w, 1, SNAPSHOT_CERT_ACTIVE);
	void *plugin = begin(w, "enforce");
	tick();
	assert_int_equal(come(c, "good"), MOSQ_ERR_SUCCESS);
	leave(c);
	c->cert = NULL;
	tick();
	assert_int_equal(check(c, MOSQ_ACL_READ, "good/news"), MOSQ_ERR_SUCCESS);
	assert_int_equal(check(c, MOSQ_ACL_READ, "other"), MOSQ_ERR_ACL_DENIED);
	end(w, plugin);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_each_allocation_may_fail, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_an_object_that_was_given_again, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_any_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_name_that_is_anothers_fingerprint, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_who_is_away_is_judged_by_name, set_up,
						tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
