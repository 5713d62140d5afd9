#include "adopt/plan.h"

/* Reports and what goes with them fit into messages of this size. */
#define MESSAGE_SIZE (131072 + 8192)

enum scope { BROKER, SECURITY, LISTENER, DEFAULT_LISTENER, BRIDGE, PLUGIN };

/* What an option makes of its listener, of the broker, or of itself. */
enum trait {
	TLS = 1 << 0,
	ASKS_CERTIFICATE = 1 << 1,
	WEBSOCKETS = 1 << 2,
	PSK = 1 << 3,
	NAMED_BY_TLS = 1 << 4,
	UNIX_SOCKET = 1 << 5,
	SHARED_PORT = 1 << 6,
	NO_DELAY = 1 << 7,
	SINGLE = 1 << 8, /* the broker takes it once only */
	SECRET = 1 << 9, /* its value is not shown */
};

/* ---- Rows ---- */

struct when {
	bool (*fits)(const char *value, const char *arg);
	const char *arg;
};

struct option_row {
	const char *name;
	struct when when;
	enum scope scope;
	unsigned traits;
	enum adopt_effect effect;
	const char *says, *cure;
};

struct listener_row {
	unsigned has, lacks;
	enum adopt_effect effect;
	const char *says, *cure;
};

static bool fits_any(const char *value, const char *arg)
{
	(void)value;
	(void)arg;
	return true;
}

static bool fits_word(const char *value, const char *arg)
{
	size_t n = strcspn(value, " ");
	return n == strlen(arg) && strncmp(value, arg, n) == 0;
}

static bool fits_truth(const char *value, const char *arg)
{
	(void)arg;
	return fits_word(value, "true") || fits_word(value, "1");
}

static bool fits_end(const char *value, const char *arg)
{
	return g_str_has_suffix(value, arg);
}

static bool fits_below_report(const char *value, const char *arg)
{
	guint64 n;
	(void)arg;
	return g_ascii_string_to_unsigned(value, 10, 1, UINT32_MAX, &n, NULL) && n < MESSAGE_SIZE;
}

#define ANY                                                                                        \
	{                                                                                          \
		fits_any, NULL                                                                     \
	}
#define IS(word)                                                                                   \
	{                                                                                          \
		fits_word, word                                                                    \
	}
#define ENDS(text)                                                                                 \
	{                                                                                          \
		fits_end, text                                                                     \
	}
#define TRUTH                                                                                      \
	{                                                                                          \
		fits_truth, NULL                                                                   \
	}
#define BELOW_REPORT                                                                               \
	{                                                                                          \
		fits_below_report, NULL                                                            \
	}

static const struct option_row options[] = {
#define OPTION(name, when, scope, traits, effect, says, cure)                                      \
	{name, when, scope, traits, ADOPT_##effect, says, cure},
#include "adopt/option.tbl.h"
#undef OPTION
};

static const struct option_row unknown = {
	"*", {fits_any, NULL},
         BROKER, SECRET, ADOPT_UNKNOWN, NULL, NULL
};

static const struct listener_row rules[] = {
#define RULE(has, lacks, effect, says, cure) {has, lacks, ADOPT_##effect, says, cure},
#include "adopt/listener.tbl.h"
#undef RULE
};

static const struct {
	const char *word, *heading;
} effects[] = {
#define EFFECT(id, word, heading) {word, heading},
#include "adopt/effect.tbl.h"
#undef EFFECT
};

const char *adopt_effect_word(enum adopt_effect effect)
{
	return effects[effect].word;
}

const char *adopt_effect_heading(enum adopt_effect effect)
{
	return effects[effect].heading;
}

static bool is_named(const struct option_row *row, const char *name)
{
	size_t n = strlen(row->name);
	return row->name[n - 1] == '*' ? strncmp(row->name, name, n - 1) == 0
				       : strcmp(row->name, name) == 0;
}

static const struct option_row *find_row(const struct conf_line *line)
{
	for (size_t i = 0; i < G_N_ELEMENTS(options); i++) {
		const struct option_row *row = &options[i];
		if (is_named(row, line->name) && row->when.fits(line->value, row->when.arg))
			return row;
	}
	return &unknown;
}

/* ---- Walking the lines ---- */

/* Each file begins at the default listener; behind an included one the main file goes on where it
 * was. Listeners are numbers: the array moves. */
struct walk {
	const struct conf *conf;
	struct adopt_plan *plan;
	guint in_main, in_included;
	const char *file;
	unsigned seen;             /* traits of the broker so far */
	bool is_per_listener;      /* security options belong to listeners */
	bool has_default_listener; /* an option speaks of it */
	bool has_listener;         /* an option makes one */
};

static struct adopt_listener *listener_at(const struct walk *walk, guint i)
{
	return &g_array_index(walk->plan->listeners, struct adopt_listener, i);
}

static guint *current(struct walk *walk, const struct conf_line *line)
{
	if (conf_is_main(walk->conf, line))
		return &walk->in_main;
	if (walk->file != line->file)
		walk->in_included = 0;
	walk->file = line->file;
	return &walk->in_included;
}

static guint add_listener(struct walk *walk, uint16_t port, const char *address)
{
	const struct adopt_listener listener = {
		.port = port,
		.address = address,
		.traits = port == 0 ? UNIX_SOCKET : 0,
		.notes = g_array_new(FALSE, FALSE, sizeof(struct adopt_note)),
	};
	g_array_append_val(walk->plan->listeners, listener);
	return walk->plan->listeners->len - 1;
}

/* The port of "PORT [ADDRESS]", with the rest; 0 also for what is none. */
static uint16_t read_port(const char *value, const char **ret_rest)
{
	char *end;
	guint64 port = g_ascii_strtoull(value, &end, 10);
	*ret_rest = end + strspn(end, " ");
	return port <= UINT16_MAX ? (uint16_t)port : 0;
}

static void begin_listener(struct walk *walk, const struct conf_line *line)
{
	const char *address;
	uint16_t port = read_port(line->value, &address);
	*current(walk, line) = add_listener(walk, port, *address == '#' ? "" : address);
	walk->has_listener = true;
}

static void set_default_listener(struct walk *walk, const struct conf_line *line)
{
	struct adopt_listener *listener = listener_at(walk, 0);
	const char *rest;
	if (strcmp(line->name, "port") == 0)
		listener->port = read_port(line->value, &rest);
	else
		listener->address = line->value;
	walk->has_default_listener = walk->has_listener = true;
}

/* The listener that an option belongs to; NULL when it is not a listener's. */
static struct adopt_listener *owner(struct walk *walk, const struct option_row *row,
				    const struct conf_line *line)
{
	bool is_listeners = row->scope == LISTENER || row->scope == DEFAULT_LISTENER ||
			    (row->scope == SECURITY && walk->is_per_listener);
	guint at = row->scope == DEFAULT_LISTENER ? 0 : *current(walk, line);
	if (!is_listeners)
		return NULL;
	if (at == 0)
		walk->has_default_listener = true;
	return listener_at(walk, at);
}

static bool is_repeated(const struct walk *walk, const char *name)
{
	for (guint i = 0; i < walk->plan->notes->len; i++) {
		if (strcmp(g_array_index(walk->plan->notes, struct adopt_note, i).line->name,
			   name) == 0)
			return true;
	}
	return false;
}

/* per_listener_settings has to go, and then there is room for one of these only. */
static void judge_repeated(const struct walk *walk, const struct option_row *row,
			   struct adopt_note *note)
{
	if (!walk->is_per_listener || !(row->traits & SINGLE) ||
	    !is_repeated(walk, note->line->name))
		return;
	note->effect = ADOPT_BLOCKS;
	note->says = "the broker takes only one without per_listener_settings";
	note->cure = "merge it into the first one";
}

static void take_line(struct walk *walk, const struct conf_line *line)
{
	const struct option_row *row = find_row(line);
	struct adopt_note note = {line, row->effect, row->traits & SECRET, row->says, row->cure};
	if (strcmp(line->name, "per_listener_settings") == 0)
		walk->is_per_listener = fits_truth(line->value, NULL);
	if (strcmp(line->name, "listener") == 0)
		begin_listener(walk, line);
	else if (row->scope == DEFAULT_LISTENER)
		set_default_listener(walk, line);
	judge_repeated(walk, row, &note);
	struct adopt_listener *listener = owner(walk, row, line);
	if (listener) {
		listener->traits |= row->traits;
		if (note.effect > ADOPT_UNKNOWN)
			g_array_append_val(listener->notes, note);
	}
	walk->seen |= row->traits;
	g_array_append_val(walk->plan->notes, note);
}

/* ---- What follows ---- */

static bool shares_port(const struct walk *walk, guint i)
{
	uint16_t port = listener_at(walk, i)->port;
	for (guint k = 0; port && k < walk->plan->listeners->len; k++) {
		if (k != i && listener_at(walk, k)->port == port)
			return true;
	}
	return false;
}

static void judge_listener(struct adopt_listener *listener)
{
	for (size_t i = 0; i < G_N_ELEMENTS(rules); i++) {
		const struct listener_row *rule = &rules[i];
		const struct adopt_note note = {NULL, rule->effect, false, rule->says, rule->cure};
		if ((listener->traits & rule->has) == rule->has &&
		    !(listener->traits & rule->lacks))
			g_array_append_val(listener->notes, note);
	}
	for (guint i = 0; i < listener->notes->len; i++)
		listener->worst = MAX(listener->worst,
				      g_array_index(listener->notes, struct adopt_note, i).effect);
}

static void clear_listener(gpointer data)
{
	g_array_unref(((struct adopt_listener *)data)->notes);
}

/* Without any, the broker listens on loopback by itself, and lets everybody in. */
static void settle_listeners(struct walk *walk)
{
	struct adopt_plan *plan = walk->plan;
	plan->is_local_only = !walk->has_listener;
	plan->is_default_local = plan->is_local_only && !walk->has_default_listener;
	if (plan->is_local_only) {
		listener_at(walk, 0)->address = plan->is_default_local ? "loopback" : "";
	} else if (!walk->has_default_listener) {
		g_array_remove_index(plan->listeners, 0);
	}
	for (guint i = 0; i < plan->listeners->len; i++) {
		if (shares_port(walk, i))
			listener_at(walk, i)->traits |= SHARED_PORT;
		judge_listener(listener_at(walk, i));
	}
}

static void settle_plan(const struct walk *walk)
{
	struct adopt_plan *plan = walk->plan;
	plan->sets_no_delay = walk->seen & NO_DELAY;
	for (guint i = 0; i < plan->notes->len; i++)
		plan->worst =
			MAX(plan->worst, g_array_index(plan->notes, struct adopt_note, i).effect);
}

void adopt_plan_make(const struct conf *conf, struct adopt_plan *ret)
{
	*ret = (struct adopt_plan){
		.notes = g_array_new(FALSE, FALSE, sizeof(struct adopt_note)),
		.listeners = g_array_new(FALSE, FALSE, sizeof(struct adopt_listener)),
	};
	g_array_set_clear_func(ret->listeners, clear_listener);
	struct walk walk = {.conf = conf, .plan = ret};
	(void)add_listener(&walk, 1883, "");
	for (guint i = 0; i < conf->lines->len; i++)
		take_line(&walk, &g_array_index(conf->lines, struct conf_line, i));
	settle_listeners(&walk);
	settle_plan(&walk);
}

void adopt_plan_clear(struct adopt_plan *plan)
{
	g_array_unref(plan->listeners);
	g_array_unref(plan->notes);
}
