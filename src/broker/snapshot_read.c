#include "broker/snapshot_table.h"

static const uint8_t *find(const struct snapshot *s, enum snapshot_kind kind, struct view key)
{
	return snapshot_table_find(&s->tables[kind], key);
}

bool snapshot_next_name(struct snapshot_names *names, struct view *ret)
{
	struct reader r = reader_of(names->bytes.p, names->bytes.n);
	if (reader_left(&r) == 0)
		return false;
	*ret = read_str16(&r);
	names->bytes = (struct view){(const char *)r.at, reader_left(&r)};
	return true;
}

static struct snapshot_names read_names(struct reader *body)
{
	return (struct snapshot_names){read_bytes32(body)};
}

/* ---- Records ---- */

struct group {
	bool is_quarantine;
	struct snapshot_names policies;
};

static bool find_group(const struct snapshot *s, struct view name, struct group *ret)
{
	const uint8_t *at = find(s, SNAPSHOT_GROUP, name);
	if (!at)
		return false;
	struct reader body = snapshot_record_at(at).body;
	ret->is_quarantine = read_u8(&body) != 0;
	ret->policies = read_names(&body);
	return true;
}

struct thing {
	struct view name; /* NULL: none */
	struct view facts;
	struct snapshot_names groups;
};

static bool find_thing(const struct snapshot *s, struct view name, struct thing *ret)
{
	const uint8_t *at = find(s, SNAPSHOT_THING, name);
	if (!at)
		return false;
	struct snapshot_record record = snapshot_record_at(at);
	ret->name = record.key;
	ret->facts = read_bytes32(&record.body);
	ret->groups = read_names(&record.body);
	return true;
}

static bool find_policy(const struct snapshot *s, struct view name, struct snapshot_policy *ret)
{
	const uint8_t *at = find(s, SNAPSHOT_POLICY, name);
	if (!at)
		return false;
	struct snapshot_record record = snapshot_record_at(at);
	ret->name = record.key;
	ret->version = read_u32(&record.body);
	ret->program = (struct view){(const char *)record.body.at, reader_left(&record.body)};
	return true;
}

bool snapshot_find(const struct snapshot *s, const uint8_t fingerprint[SNAPSHOT_FINGERPRINT],
		   struct snapshot_cert *ret)
{
	const uint8_t *at = find(s, SNAPSHOT_CERT,
				 (struct view){(const char *)fingerprint, SNAPSHOT_FINGERPRINT});
	if (!at)
		return false;
	struct reader body = snapshot_record_at(at).body;
	ret->status = (enum snapshot_cert_status)read_u8(&body);
	ret->is_exclusive = read_u8(&body) != 0;
	ret->not_before = read_i64(&body);
	ret->not_after = read_i64(&body);
	ret->facts = read_bytes32(&body);
	ret->things = read_names(&body);
	ret->policies = read_names(&body);
	return true;
}

static bool has_name(struct snapshot_names names, struct view name)
{
	struct view one;
	while (snapshot_next_name(&names, &one))
		if (view_eq(one, name))
			return true;
	return false;
}

bool snapshot_cert_has_thing(const struct snapshot *s, const struct snapshot_cert *c,
			     struct view thing)
{
	return has_name(c->things, thing) && find(s, SNAPSHOT_THING, thing);
}

/* ---- What a connection may be judged by ---- */

struct policy_list {
	const struct snapshot *s;
	struct snapshot_policy *policies;
	unsigned n, cap; /* n is cap + 1 when there were more */
};

static void add_policy(struct policy_list *list, const struct snapshot_policy *policy)
{
	for (unsigned i = 0; i < list->n && i < list->cap; i++)
		if (list->policies[i].name.p == policy->name.p)
			return;
	if (list->n < list->cap)
		list->policies[list->n] = *policy;
	if (list->n <= list->cap)
		list->n++;
}

static void add_policies(struct policy_list *list, struct snapshot_names names)
{
	struct view name;
	struct snapshot_policy policy;
	while (list->n <= list->cap && snapshot_next_name(&names, &name))
		if (find_policy(list->s, name, &policy))
			add_policy(list, &policy);
}

/* Those of all groups of a thing, or of its quarantine groups. Returns whether there was one of
 * these. */
static bool add_groups(struct policy_list *list, const struct thing *thing, bool only_quarantine)
{
	struct snapshot_names groups = thing->groups;
	struct view name;
	struct group group;
	bool is_quarantined = false;
	while (snapshot_next_name(&groups, &name)) {
		if (!find_group(list->s, name, &group))
			continue;
		is_quarantined |= group.is_quarantine;
		if (group.is_quarantine || !only_quarantine)
			add_policies(list, group.policies);
	}
	return is_quarantined;
}

/* The policies of every quarantine group that any of the certificate's things is in (S6). */
static bool add_quarantine(struct policy_list *list, const struct snapshot_cert *c)
{
	struct snapshot_names things = c->things;
	struct view name;
	struct thing thing;
	bool is_quarantined = false;
	while (snapshot_next_name(&things, &name))
		if (find_thing(list->s, name, &thing))
			is_quarantined |= add_groups(list, &thing, true);
	return is_quarantined;
}

static struct thing connection_thing(const struct snapshot *s, const struct snapshot_cert *c,
				     struct view client_id)
{
	struct snapshot_names things = c->things;
	struct thing thing = {0};
	struct view only;
	if (has_name(c->things, client_id))
		(void)find_thing(s, client_id, &thing);
	else if (c->is_exclusive && snapshot_next_name(&things, &only))
		(void)find_thing(s, only, &thing);
	return thing;
}

static void fill_account(const struct snapshot *s, struct policy_request *request)
{
	struct reader body = snapshot_record_at(find(s, SNAPSHOT_ACCOUNT, VIEW_LIT(""))).body;
	request->partition = read_str16(&body);
	request->region = read_str16(&body);
	request->account = read_str16(&body);
}

unsigned snapshot_programs(const struct snapshot *s, const struct snapshot_cert *c,
			   struct view client_id, struct policy_request *request,
			   struct snapshot_policy *ret, unsigned cap, bool *ret_is_quarantined)
{
	struct policy_list list = {s, ret, 0, cap};
	struct thing thing = connection_thing(s, c, client_id);
	fill_account(s, request);
	request->client_id = client_id;
	request->thing_name = thing.name;
	request->is_thing_attached = thing.name.p != NULL;
	request->thing_facts = thing.facts;
	request->cert_facts = c->facts;
	*ret_is_quarantined = add_quarantine(&list, c);
	if (!*ret_is_quarantined) {
		add_policies(&list, c->policies);
		(void)add_groups(&list, &thing, false);
	}
	return list.n;
}

unsigned snapshot_dimensions(const struct snapshot *s, struct snapshot_dimension *ret, unsigned cap)
{
	const struct snapshot_table *t = &s->tables[SNAPSHOT_DIMENSION];
	unsigned n = 0;
	for (size_t i = 0; i < t->n_slots && n < cap; i++) {
		if (!t->slots[i].record)
			continue;
		struct snapshot_record record = snapshot_record_at(t->slots[i].record);
		if (!record.is_deleted)
			ret[n++] =
				(struct snapshot_dimension){record.key, read_names(&record.body)};
	}
	return n;
}
