#include "api/interpret.h"

#include "api/rate.h"
#include "api/route.h"
#include "api/shape.h"
#include "api/trail.h"
#include "base/check.h"
#include "base/log.h"
#include "store/store.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <pthread.h>

/* Refusals that are recorded: an attacker must not be able to fill the store (S18 within S14). Who
 * has no key is counted apart, so that a flood of them hides nobody's refused calls. */
enum refused { STRANGER, KEY_HOLDER, REFUSED_KINDS };
static const struct rate refusal_rates[REFUSED_KINDS] = {
	[STRANGER] = {.burst = 200, .per_minute = 10 },
	[KEY_HOLDER] = {.burst = 200, .per_minute = 600},
};

struct api {
	struct api_options options;
	struct model *model;
	pthread_mutex_t lock; /* of refusals */
	struct rate_bucket refusals[REFUSED_KINDS];
};

/* One call on its way. */
struct run {
	struct api *api;
	const struct api_caller *caller;
	const struct api_request *request;
	struct sql_conn *reader;
	struct route route;
	struct api_call call;
	struct refusal refusal;
	bool has_changed; /* the broker's snapshot or the log wants to know */
};

struct api *api_new(const struct api_options *options, struct fault *fault)
{
	struct model *model = model_load(fault);
	if (!model)
		return NULL;
	struct api *api = g_new0(struct api, 1);
	api->options = *options;
	api->model = model;
	pthread_mutex_init(&api->lock, NULL);
	return api;
}

void api_free(struct api *api)
{
	if (!api)
		return;
	pthread_mutex_destroy(&api->lock);
	model_free(api->model);
	g_free(api);
}

const struct model *api_model(const struct api *api)
{
	return api->model;
}

void api_answer_clear(struct api_answer *answer)
{
	g_clear_pointer(&answer->body, g_free);
}

static int find_operation(struct run *run)
{
	const struct api_request *request = run->request;
	run->route = route_find(run->api->model, request->method, request->path);
	run->call.operation = run->route.operation;
	if (run->route.operation)
		return 0;
	return refuse(&run->refusal, "UnknownOperationException",
		      "No operation answers %s at this path", request->method);
}

static int check_role(struct run *run)
{
	const struct operation *op = run->route.operation;
	const struct registry_settings *settings = run->api->options.env->settings;
	if (run->caller->role < op->role)
		return refuse(&run->refusal, "AccessDeniedException",
			      "User: arn:%s:iam::%s:user/%s is not authorized to perform: iot:%s: "
			      "the key's role is %s, and "
			      "the operation needs %s",
			      settings->partition, settings->account_id, run->caller->key_id,
			      op->name, role_name(run->caller->role), role_name(op->role));
	if (!op->handler)
		return refuse(&run->refusal, "NotImplementedException",
			      "This version of Thingward does not have %s", op->name);
	return 0;
}

static int open_page(struct run *run)
{
	struct api_call *call = &run->call;
	const struct page_row *row = &call->operation->page;
	if (!call->operation->is_paged)
		return 0;
	call->page_limit =
		row->limit ? in_int(call, row->limit, row->default_limit) : row->default_limit;
	const char *token = in_text(call, row->token_in);
	if (token &&
	    token_open(call->token_key, call->operation, call->in, token, call->page_after) < 0)
		return refuse(&run->refusal, "InvalidRequestException",
			      "%s is not a token that this operation gave out for these parameters",
			      row->token_in);
	return 0;
}

/* What a handler returned, as a refusal. */
static int handler_result(struct run *run, int result)
{
	if (result == 0)
		return 0;
	const struct fault *fault = &run->call.fault;
	if (result == -1 || result > 0) {
		CHECK(fault->kind != FAULT_NONE);
		return refuse(&run->refusal, fault_name(fault->kind), "%s", fault->message);
	}
	log_error("api", "%s failed in the store: %s", run->call.operation->name,
		  g_strerror(-result));
	if (result == -EAGAIN)
		return refuse(&run->refusal, "ServiceUnavailableException",
			      "Too many changes at once; nothing was changed, try again");
	return refuse(&run->refusal, "InternalFailureException",
		      "The store failed; the log says how");
}

/* Texts that must not stay in memory behind the answer (S28). */
static void wipe_secrets(const struct operation *op, json_t *out)
{
	for (size_t i = 0; op && op->secrets && op->secrets[i]; i++) {
		g_auto(GStrv) names = g_strsplit(op->secrets[i], ".", 0);
		const json_t *value = out;
		for (size_t k = 0; names[k]; k++)
			value = json_object_get(value, names[k]);
		if (json_is_string(value))
			OPENSSL_cleanse((void *)(uintptr_t)json_string_value(value),
					json_string_length(value));
	}
}

static void begin_handler(struct run *run, struct sql_conn *db)
{
	struct api_call *call = &run->call;
	wipe_secrets(call->operation, call->out); /* of a transaction that is run again */
	json_decref(call->out);
	call->out = json_object();
	call->fault.kind = FAULT_NONE;
	call->db = db;
}

static int read_only(struct run *run)
{
	struct sql_conn *reader = run->reader;
	begin_handler(run, reader);
	int result = store_read_begin(reader);
	if (result < 0)
		return handler_result(run, result == -1 ? -EIO : result);
	result = run->call.operation->handler(&run->call);
	store_read_end(reader);
	return handler_result(run, result);
}

static int record_change(struct run *run, struct sql_conn *txn)
{
	const struct api_call *call = &run->call;
	g_autofree char *target = trail_target(call->operation, call->in, call->out);
	g_autofree char *detail = trail_detail(call->operation, call->in, call->out);
	const struct trail_row row = {
		run->request->id,
		call->now_ms,
		run->caller->key_id,
		run->request->address,
		call->operation->name,
		target,
		"ok",
		detail,
	};
	return trail_add(txn, &row);
}

/* A handler's own -1 leaves the transaction as 1: the store's functions return other numbers. */
static int write_transaction(struct sql_conn *txn, void *ctx)
{
	struct run *run = ctx;
	int64_t before, after;
	begin_handler(run, txn);
	int result = change_newest(txn, &before);
	if (result == 0)
		result = run->call.operation->handler(&run->call);
	if (result == -1)
		return 1;
	if (result == 0)
		result = change_newest(txn, &after);
	if (result < 0)
		return result;
	run->has_changed = after > before;
	return record_change(run, txn);
}

static int publish(struct run *run)
{
	const struct api_env *env = run->api->options.env;
	int result = run->has_changed && env->publish ? env->publish(env->publish_ctx) : 0;
	if (result == 0)
		return 0;
	log_error("api", "%s is stored but did not reach log and snapshot: %s",
		  run->call.operation->name, g_strerror(-result));
	return refuse(&run->refusal, "ServiceUnavailableException",
		      "The change is stored but not yet in force everywhere; it will be without "
		      "another call. /readyz says what it waits for");
}

static int prepare(struct run *run)
{
	api_handler *step = run->call.operation->prepare;
	return step ? handler_result(run, step(&run->call)) : 0;
}

static int read_and_write(struct run *run)
{
	if (prepare(run) < 0)
		return -1;
	int result = store_write(run->api->options.env->store, write_transaction, run);
	return handler_result(run, result) < 0 ? -1 : publish(run);
}

static int run_handler(struct run *run)
{
	return run->call.operation->writes ? read_and_write(run) : read_only(run);
}

/* Only with check_output: an answer that its shape does not allow is our own fault. */
static int check_output(struct run *run)
{
	struct refusal what = {0};
	if (!run->api->options.check_output ||
	    shape_check(&run->call.operation->output, run->call.out, &what) == 0)
		return 0;
	refuse(&run->refusal, "InternalFailureException",
	       "%s answered what its output does not allow: %s", run->call.operation->name,
	       what.message);
	refusal_clear(&what);
	return -1;
}

static void answer_output(struct run *run, struct api_answer *ret)
{
	json_t *output = shape_write(&run->call.operation->output, run->call.out);
	char *body = json_dumps(output, JSON_COMPACT | JSON_REAL_PRECISION(15));
	ret->status = 200;
	ret->body = g_strdup(body);
	OPENSSL_cleanse(body, strlen(body));
	free(body);
	json_decref(output);
}

static void answer_refusal(const struct api *api, const struct refusal *refusal,
			   const struct fault *fault, struct api_answer *ret)
{
	json_t *body = json_object();
	g_autofree char *message = g_utf8_make_valid(refusal->message, -1);
	json_object_set_new(body, "message", json_string(message));
	if (fault && fault->kind == FAULT_RESOURCE_ALREADY_EXISTS) {
		json_object_set_new(body, "resourceId", json_string(fault->resource_id));
		json_object_set_new(body, "resourceArn", json_string(fault->resource_arn));
	}
	char *text = json_dumps(body, JSON_COMPACT);
	ret->status = model_status(api->model, refusal->exception);
	ret->exception = refusal->exception;
	ret->body = g_strdup(text);
	free(text);
	json_decref(body);
}

static int add_record(struct sql_conn *txn, void *ctx)
{
	return trail_add(txn, ctx);
}

static bool may_record(struct api *api, enum refused who, int64_t now_ms)
{
	pthread_mutex_lock(&api->lock);
	bool may = rate_take(&refusal_rates[who], &api->refusals[who], now_ms);
	pthread_mutex_unlock(&api->lock);
	if (!may)
		api_count(api->options.env, API_COUNT_UNRECORDED);
	return may;
}

static void record_refusal(struct api *api, enum refused who, const struct api_request *request,
			   const char *key_id, const struct operation *op, const json_t *in,
			   const struct refusal *refusal)
{
	const struct api_env *env = api->options.env;
	int64_t now_ms = clock_now_ms(env->clock);
	if (!may_record(api, who, now_ms))
		return;
	g_autofree char *target = op && in ? trail_target(op, in, NULL) : g_strdup("");
	g_autofree char *detail = trail_message(refusal->message);
	struct trail_row row = {
		request->id,        now_ms, key_id, request->address, op ? op->name : "", target,
		refusal->exception, detail,
	};
	int result = store_write(env->store, add_record, &row);
	if (result < 0)
		log_error("api", "a refusal could not be recorded: %s", g_strerror(-result));
}

/* The operation's answer is what is wrong with its input. */
static bool is_forgiven(struct run *run)
{
	if (!run->call.operation->is_lenient ||
	    g_strcmp0(run->refusal.exception, "InvalidRequestException") != 0)
		return false;
	run->call.input_fault = run->refusal.message;
	return true;
}

static int steps(struct run *run)
{
	static int (*const rows[])(struct run *) = {find_operation, check_role};
	static int (*const later[])(struct run *) = {open_page, run_handler, check_output};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (rows[i](run) < 0)
			return -1;
	}
	if (api_gather(&run->route, run->request, &run->call.in, &run->refusal) < 0 &&
	    !is_forgiven(run))
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(later); i++) {
		if (later[i](run) < 0)
			return -1;
	}
	return 0;
}

/* A denied call's members were not read yet; its record shall say what it was aimed at. */
static void read_aim(struct run *run)
{
	struct refusal unread = {0};
	if (run->route.operation && !run->call.in &&
	    api_gather(&run->route, run->request, &run->call.in, &unread) < 0)
		refusal_clear(&unread);
}

static void finish_refused(struct run *run, struct api_answer *ret)
{
	struct api *api = run->api;
	const struct operation *op = run->route.operation;
	answer_refusal(api, &run->refusal, &run->call.fault, ret);
	if (!op && run->route.is_path_known)
		ret->status = 405;
	bool is_recorded = ret->status == 403 || (op && op->writes && ret->status < 500);
	if (!is_recorded)
		return;
	read_aim(run);
	record_refusal(api, KEY_HOLDER, run->request, run->caller->key_id, op, run->call.in,
		       &run->refusal);
}

void api_run(struct api *api, const struct api_caller *caller, const struct api_request *request,
	     struct sql_conn *reader, struct api_answer *ret)
{
	struct api_env *env = api->options.env;
	struct run run = {.api = api, .caller = caller, .request = request, .reader = reader};
	run.call.env = env;
	run.call.request_id = request->id;
	run.call.key_id = caller->key_id;
	run.call.now_ms = clock_now_ms(env->clock);
	run.call.token_key = &api->options.token_key;
	*ret = (struct api_answer){.operation = ""};
	if (steps(&run) == 0)
		answer_output(&run, ret);
	else
		finish_refused(&run, ret);
	if (run.route.operation)
		ret->operation = run.route.operation->name;
	wipe_secrets(run.route.operation, run.call.out);
	json_decref(run.call.in);
	json_decref(run.call.out);
	json_decref(run.call.page_items);
	if (run.call.release)
		run.call.release(run.call.prepared);
	refusal_clear(&run.refusal);
}

void api_refuse(struct api *api, const char *key_id, const struct api_request *request,
		const struct refusal *refusal, struct api_answer *ret)
{
	*ret = (struct api_answer){.operation = ""};
	answer_refusal(api, refusal, NULL, ret);
	if (ret->status == 403)
		record_refusal(api, STRANGER, request, key_id, NULL, NULL, refusal);
}
