/* The writing half of a configuration, and the reading of a CIDR that both halves agree on. */
#include "detect/config.h"

#include <arpa/inet.h>

void config_write_begin(struct writer *w, uint32_t n_profiles)
{
	write_u16(w, CONFIG_VERSION);
	write_u32(w, n_profiles);
}

void config_write_profile(struct writer *w, struct view name, uint8_t targets,
			  const uint64_t *groups, uint32_t n_groups, uint16_t n_behaviors)
{
	write_str16(w, name);
	write_u8(w, targets);
	write_u32(w, n_groups);
	for (uint32_t i = 0; i < n_groups; i++)
		write_u64(w, groups[i]);
	write_u16(w, n_behaviors);
}

static void write_count(struct writer *w, const struct config_value *v)
{
	write_u64(w, v->count);
}

static void write_number(struct writer *w, const struct config_value *v)
{
	write_f64(w, v->number);
}

static void write_numbers(struct writer *w, const struct config_value *v)
{
	write_u32(w, v->n);
	for (uint32_t i = 0; i < v->n; i++)
		write_f64(w, v->numbers[i]);
}

static void write_ports(struct writer *w, const struct config_value *v)
{
	write_u32(w, v->n);
	for (uint32_t i = 0; i < v->n; i++)
		write_u16(w, v->ports[i]);
}

static void write_cidrs(struct writer *w, const struct config_value *v)
{
	write_u32(w, v->n);
	for (uint32_t i = 0; i < v->n; i++) {
		write_raw(w, v->cidrs[i].addr.b, sizeof(v->cidrs[i].addr.b));
		write_u8(w, v->cidrs[i].prefix);
	}
}

static void write_strings(struct writer *w, const struct config_value *v)
{
	write_u32(w, v->n);
	for (uint32_t i = 0; i < v->n; i++)
		write_str16(w, v->strings[i]);
}

static void write_value(struct writer *w, const struct config_value *v)
{
	static void (*const write_kind[])(struct writer *, const struct config_value *) = {
		[VALUE_COUNT] = write_count,     [VALUE_NUMBER] = write_number,
		[VALUE_NUMBERS] = write_numbers, [VALUE_PORTS] = write_ports,
		[VALUE_ADDRS] = write_cidrs,     [VALUE_STRINGS] = write_strings,
	};
	write_u8(w, (uint8_t)v->kind);
	write_kind[v->kind](w, v);
}

/* The rule's length stands before it and is known only behind it. */
static void write_rule(struct writer *w, const struct config_rule *rule)
{
	uint8_t *length = write_room(w, sizeof(uint32_t));
	size_t from = w->len;
	write_u8(w, (uint8_t)rule->op);
	write_u32(w, rule->duration_s);
	write_u8(w, rule->to_alarm);
	write_u8(w, rule->to_clear);
	write_u8(w, rule->is_suppressed);
	write_value(w, &rule->value);
	if (w->full)
		return;
	struct writer head = writer_of(length, sizeof(uint32_t));
	write_u32(&head, (uint32_t)(w->len - from));
}

void config_write_behavior(struct writer *w, struct view name, struct view json, struct view metric,
			   enum criteria_type type, const struct config_rule *rule)
{
	write_str16(w, name);
	write_bytes32(w, json);
	write_str16(w, metric);
	write_u8(w, (uint8_t)type);
	write_rule(w, rule);
}

/* ---- CIDR ---- */

#define V4_BITS 96 /* of an IPv4-mapped address, before the IPv4 one */

static bool read_address(const char *text, struct report_addr *ret, unsigned *ret_base)
{
	static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
	memcpy(ret->b, mapped, sizeof(mapped));
	*ret_base = V4_BITS;
	if (inet_pton(AF_INET, text, ret->b + sizeof(mapped)) == 1)
		return true;
	*ret_base = 0;
	return inet_pton(AF_INET6, text, ret->b) == 1;
}

/* One to three decimal digits and nothing else. */
static bool read_prefix(const char *text, unsigned max, unsigned *ret)
{
	unsigned v = 0, digits = 0;
	for (; *text >= '0' && *text <= '9' && digits < 3; text++, digits++)
		v = v * 10 + (unsigned)(*text - '0');
	*ret = v;
	return digits > 0 && *text == '\0' && v <= max;
}

static void clear_host_bits(struct report_addr *addr, unsigned prefix)
{
	for (unsigned bit = prefix; bit < 128; bit++)
		addr->b[bit / 8] &= (uint8_t) ~(0x80U >> bit % 8);
}

int config_read_cidr(struct view text, struct config_cidr *ret)
{
	char buf[INET6_ADDRSTRLEN + sizeof("/128")];
	if (text.n >= sizeof(buf) || memchr(text.p, '\0', text.n))
		return -1;
	memcpy(buf, text.p, text.n);
	buf[text.n] = '\0';
	char *slash = strchr(buf, '/');
	if (slash)
		*slash++ = '\0';
	struct config_cidr cidr;
	unsigned base, prefix;
	if (!read_address(buf, &cidr.addr, &base))
		return -1;
	prefix = 128 - base;
	if (slash && !read_prefix(slash, 128 - base, &prefix))
		return -1;
	cidr.prefix = (uint8_t)(base + prefix);
	clear_host_bits(&cidr.addr, cidr.prefix);
	*ret = cidr;
	return 0;
}
