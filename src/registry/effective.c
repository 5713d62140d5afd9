#include "registry/effective.h"

#include "registry/certificate.h"
#include "registry/facts.h"
#include "registry/iot_policy.h"
#include "registry/principal.h"
#include "registry/quarantine.h"
#include "registry/rows.h"
#include "registry/thing.h"

/* ---- Lists of policies ---- */

static void policy_free(gpointer item)
{
	struct effective_policy *policy = item;
	g_free(policy->name);
	g_free(policy->document);
	policy_program_clear(&policy->program);
	g_free(policy);
}

struct effective effective_new(void)
{
	return (struct effective){g_ptr_array_new_with_free_func(policy_free)};
}

void effective_clear(struct effective *effective)
{
	g_ptr_array_unref(effective->policies);
}

static bool find(const struct effective *effective, const char *name, guint *ret)
{
	for (guint i = 0; i < effective->policies->len; i++) {
		const struct effective_policy *policy = effective->policies->pdata[i];
		*ret = i;
		if (strcmp(policy->name, name) == 0)
			return true;
	}
	return false;
}

void effective_skip(struct effective *effective, const char *name)
{
	guint place;
	if (find(effective, name, &place))
		g_ptr_array_remove_index(effective->policies, place);
}

static int take_default(struct sql_rows *row, void *ctx)
{
	struct effective_policy *policy = ctx;
	policy->version = sql_col_int(row, 0);
	policy->document = g_strdup(sql_col_text(row, 1));
	return 0;
}

/* The document is compiled here and now: the program that is kept may be of an older form. */
int effective_add(struct registry *r, struct effective *effective, const char *name)
{
	guint place;
	if (find(effective, name, &place))
		return 0;
	struct effective_policy *policy = g_new0(struct effective_policy, 1);
	policy->name = g_strdup(name);
	int found = rows_find(r->db, SQL_policy_default, SQL_ARGS(sql_text(name)), take_default,
			      policy);
	int err = found < 0 ? found : found ? 0 : iot_policy_check(r, name);
	if (!err)
		err = policy_compile(view_of(policy->document), SIZE_MAX, &policy->program,
				     r->fault);
	if (err)
		policy_free(policy);
	else
		g_ptr_array_add(effective->policies, policy);
	return err;
}

/* A name_fn that adds the policy. */
struct adding {
	struct registry *r;
	struct effective *effective;
};

static int add_name(const char *name, void *ctx)
{
	const struct adding *adding = ctx;
	return effective_add(adding->r, adding->effective, name);
}

/* ---- By principal and by thing ---- */

int effective_add_target(struct registry *r, struct effective *effective,
			 const struct target *target)
{
	struct adding adding = {r, effective};
	return attachment_each_policy(r, target, true, "", INT64_MAX, add_name, &adding);
}

static int add_group_policies(struct registry *r, struct effective *effective, const char *thing)
{
	struct adding adding = {r, effective};
	struct rows_names names = {add_name, &adding};
	return rows_each(r->db, SQL_effective_thing, SQL_ARGS(sql_text(thing)), rows_name, &names);
}

int effective_add_thing(struct registry *r, struct effective *effective, const char *thing)
{
	int err = thing_check(r, thing);
	return err ? err : add_group_policies(r, effective, thing);
}

/* ---- By connection ---- */

struct finding {
	const char *client_id;
	char **ret_thing;
};

static int find_thing(const char *name, bool is_exclusive, void *ctx)
{
	const struct finding *finding = ctx;
	if (!is_exclusive && g_strcmp0(name, finding->client_id) != 0)
		return 0;
	*finding->ret_thing = g_strdup(name);
	return 1;
}

static int read_thing(struct registry *r, struct connection *connection)
{
	struct finding finding = {connection->client_id, &connection->thing};
	int found = principal_each_thing(r, connection->certificate, PRINCIPAL_ANY, "", INT64_MAX,
					 find_thing, &finding);
	if (found <= 0)
		return found;
	struct thing thing = {0};
	int err = thing_get(r, connection->thing, &thing);
	if (!err)
		facts_of_thing(thing.attributes, connection->thing_facts);
	thing_clear(&thing);
	return err;
}

static int take_facts(struct sql_rows *row, void *ctx)
{
	size_t n;
	const void *facts = sql_col_blob(row, 0, &n);
	g_byte_array_append(ctx, facts, (guint)n);
	return 0;
}

int connection_open(struct registry *r, const char *certificate, const char *client_id,
		    struct connection *ret)
{
	*ret = (struct connection){
		.certificate = g_strdup(certificate),
		.client_id = g_strdup(client_id),
		.thing_facts = g_byte_array_new(),
		.cert_facts = g_byte_array_new(),
	};
	int found = rows_find(r->db, SQL_certificate_facts_get, SQL_ARGS(sql_text(certificate)),
			      take_facts, ret->cert_facts);
	int err = found < 0 ? found : read_thing(r, ret);
	if (err)
		connection_clear(ret);
	return err;
}

void connection_clear(struct connection *connection)
{
	g_free(connection->certificate);
	g_free(connection->thing);
	g_free(connection->client_id);
	g_byte_array_unref(connection->thing_facts);
	g_byte_array_unref(connection->cert_facts);
}

static struct view bytes_of(const GByteArray *bytes)
{
	return (struct view){(const char *)bytes->data, bytes->len};
}

void connection_fill(const struct connection *connection, struct policy_request *request)
{
	request->client_id = view_of(connection->client_id);
	request->certificate_id = view_of(connection->certificate);
	request->thing_name = view_of(connection->thing);
	request->is_thing_attached = connection->thing != NULL;
	request->thing_facts = bytes_of(connection->thing_facts);
	request->cert_facts = bytes_of(connection->cert_facts);
}

struct quarantine {
	struct adding adding;
	bool is_any;
};

static int add_if_marked(struct sql_rows *row, void *ctx)
{
	struct quarantine *quarantine = ctx;
	struct rows_names names = {add_name, &quarantine->adding};
	if (!quarantine_is_marked(sql_col_text(row, 1)))
		return 0;
	quarantine->is_any = true;
	return rows_each(quarantine->adding.r->db, SQL_effective_group,
			 SQL_ARGS(sql_text(sql_col_text(row, 0))), rows_name, &names);
}

int effective_add_connection(struct registry *r, struct effective *effective,
			     const struct connection *connection)
{
	struct quarantine quarantine = {
		.adding = {r, effective}
        };
	struct target target = {.kind = TARGET_CERTIFICATE};
	(void)g_strlcpy(target.name, connection->certificate, sizeof(target.name));
	int err =
		rows_each(r->db, SQL_effective_certificate_groups,
			  SQL_ARGS(sql_text(connection->certificate)), add_if_marked, &quarantine);
	if (err || quarantine.is_any)
		return err;
	err = effective_add_target(r, effective, &target);
	if (err || !connection->thing)
		return err;
	return add_group_policies(r, effective, connection->thing);
}
