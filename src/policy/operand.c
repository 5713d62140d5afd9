#include "policy/operand.h"

#include "policy/program.h"

#include <arpa/inet.h>

/* ---- Numbers ---- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static struct view take_digits(struct view *text)
{
	struct view digits = {text->p, 0};
	while (digits.n < text->n && is_digit(text->p[digits.n]))
		digits.n++;
	*text = (struct view){text->p + digits.n, text->n - digits.n};
	return digits;
}

static bool take_char(struct view *text, char c)
{
	if (text->n == 0 || text->p[0] != c)
		return false;
	*text = (struct view){text->p + 1, text->n - 1};
	return true;
}

bool number_read(struct view text, struct number *ret)
{
	bool is_negative = take_char(&text, '-');
	if (!is_negative)
		(void)take_char(&text, '+');
	struct view whole = take_digits(&text), fraction = {NULL, 0};
	if (whole.n == 0)
		return false;
	if (take_char(&text, '.')) {
		fraction = take_digits(&text);
		if (fraction.n == 0)
			return false;
	}
	while (take_char(&whole, '0'))
		;
	while (fraction.n > 0 && fraction.p[fraction.n - 1] == '0')
		fraction.n--;
	*ret = (struct number){is_negative && whole.n + fraction.n > 0, whole, fraction};
	return text.n == 0;
}

/* As if zeros stood behind the shorter one. */
static int compare_fractions(struct view a, struct view b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int order = n > 0 ? memcmp(a.p, b.p, n) : 0;
	return order != 0 ? order : (a.n > b.n) - (a.n < b.n);
}

static int compare_sizes(const struct number *a, const struct number *b)
{
	if (a->whole.n != b->whole.n)
		return a->whole.n < b->whole.n ? -1 : 1;
	int order = a->whole.n > 0 ? memcmp(a->whole.p, b->whole.p, a->whole.n) : 0;
	return order != 0 ? order : compare_fractions(a->fraction, b->fraction);
}

int number_compare(const struct number *a, const struct number *b)
{
	if (a->is_negative != b->is_negative)
		return a->is_negative ? -1 : 1;
	return a->is_negative ? compare_sizes(b, a) : compare_sizes(a, b);
}

/* ---- Times ---- */

#define EPOCH_DIGITS 15 /* of seconds: enough for thirty million years, and no overflow */

/* Exactly n digits. */
static bool take_field(struct view *text, unsigned n, int min, int max, int *ret)
{
	int value = 0;
	if (text->n < n)
		return false;
	for (unsigned i = 0; i < n; i++) {
		if (!is_digit(text->p[i]))
			return false;
		value = value * 10 + (text->p[i] - '0');
	}
	*text = (struct view){text->p + n, text->n - n};
	*ret = value;
	return value >= min && value <= max;
}

static bool is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_of_month(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	return days[month - 1] + (month == 2 && is_leap(year));
}

static int64_t days_since_epoch(int year, int month, int day)
{
	int64_t before = year - 1;
	int64_t days = before * 365 + before / 4 - before / 100 + before / 400 + day - 1;
	for (int m = 1; m < month; m++)
		days += days_of_month(year, m);
	return days - 719162; /* of 1970-01-01 */
}

static bool take_date(struct view *text, struct instant *ret)
{
	int year, month, day;
	if (!take_field(text, 4, 1, 9999, &year) || !take_char(text, '-') ||
	    !take_field(text, 2, 1, 12, &month) || !take_char(text, '-') ||
	    !take_field(text, 2, 1, days_of_month(year, month), &day))
		return false;
	*ret = (struct instant){days_since_epoch(year, month, day) * 86400, 0};
	return true;
}

/* Digits behind the ninth do not count. */
static bool take_fraction(struct view *text, struct instant *ret)
{
	struct view digits = take_digits(text);
	uint32_t unit = 100000000;
	for (size_t i = 0; i < digits.n; i++, unit /= 10)
		ret->nanoseconds += (uint32_t)(digits.p[i] - '0') * unit;
	return digits.n > 0;
}

static bool take_time(struct view *text, struct instant *ret)
{
	int hour, minute, second = 0;
	if (!take_field(text, 2, 0, 23, &hour) || !take_char(text, ':') ||
	    !take_field(text, 2, 0, 59, &minute))
		return false;
	if (take_char(text, ':')) {
		if (!take_field(text, 2, 0, 59, &second) ||
		    (take_char(text, '.') && !take_fraction(text, ret)))
			return false;
	}
	ret->seconds += (hour * 60 + minute) * 60 + second;
	return true;
}

static bool take_zone(struct view *text, struct instant *ret)
{
	int hour, minute;
	if (text->n == 0 || take_char(text, 'Z'))
		return true;
	bool is_behind = take_char(text, '-');
	if ((!is_behind && !take_char(text, '+')) || !take_field(text, 2, 0, 23, &hour) ||
	    !take_char(text, ':') || !take_field(text, 2, 0, 59, &minute))
		return false;
	int seconds = (hour * 60 + minute) * 60;
	ret->seconds += is_behind ? seconds : -seconds;
	return true;
}

static bool read_epoch(struct view text, struct instant *ret)
{
	bool is_before = take_char(&text, '-');
	struct view digits = take_digits(&text);
	if (digits.n == 0 || digits.n > EPOCH_DIGITS || text.n > 0)
		return false;
	int64_t seconds = 0;
	for (size_t i = 0; i < digits.n; i++)
		seconds = seconds * 10 + (digits.p[i] - '0');
	*ret = (struct instant){is_before ? -seconds : seconds, 0};
	return true;
}

bool instant_read(struct view text, struct instant *ret)
{
	if (read_epoch(text, ret))
		return true;
	if (!take_date(&text, ret))
		return false;
	if (!take_char(&text, 'T'))
		return text.n == 0;
	return take_time(&text, ret) && take_zone(&text, ret) && text.n == 0;
}

int instant_compare(const struct instant *a, const struct instant *b)
{
	if (a->seconds != b->seconds)
		return a->seconds < b->seconds ? -1 : 1;
	return (a->nanoseconds > b->nanoseconds) - (a->nanoseconds < b->nanoseconds);
}

/* ---- Truths ---- */

static bool is_folded(struct view text, const char *lower)
{
	size_t n = strlen(lower);
	if (text.n != n)
		return false;
	for (size_t i = 0; i < n; i++)
		if ((text.p[i] | 0x20) != lower[i])
			return false;
	return true;
}

bool truth_read(struct view text, bool *ret)
{
	*ret = is_folded(text, "true");
	return *ret || is_folded(text, "false");
}

/* ---- Addresses ---- */

static const uint8_t mapped[PROGRAM_V4_MAPPED / 8] = {[10] = 0xff, [11] = 0xff};

static bool is_v4(const uint8_t address[16])
{
	return memcmp(address, mapped, sizeof(mapped)) == 0;
}

bool address_read(struct view text, uint8_t ret[16])
{
	char s[INET6_ADDRSTRLEN];
	const char *zone = text.n > 0 ? memchr(text.p, '%', text.n) : NULL;
	size_t n = zone ? (size_t)(zone - text.p) : text.n;
	if (n == 0 || n >= sizeof(s))
		return false;
	memcpy(s, text.p, n);
	s[n] = '\0';
	memcpy(ret, mapped, sizeof(mapped));
	return (!zone && inet_pton(AF_INET, s, ret + sizeof(mapped)) == 1) ||
	       inet_pton(AF_INET6, s, ret) == 1;
}

bool address_is_inside(const uint8_t address[16], const uint8_t network[16], unsigned bits)
{
	if (is_v4(address) != (is_v4(network) && bits >= PROGRAM_V4_MAPPED))
		return false;
	unsigned whole = bits / 8, rest = bits % 8;
	if (memcmp(address, network, whole) != 0)
		return false;
	return rest == 0 || ((address[whole] ^ network[whole]) >> (8 - rest)) == 0;
}
