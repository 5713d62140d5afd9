/* Addresses (section 5, rule 8): every form that devices write, and what is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "report/address.h"

#include <arpa/inet.h>

static const struct remote_case {
	const char *text, *addr; /* addr as inet_pton takes it; NULL: cannot be read */
} remotes[] = {
	{"192.168.0.1:8000",				       "::ffff:192.168.0.1"                   },
	{"192.168.0.1",					    "::ffff:192.168.0.1"                   },
	{"0.0.0.0:0",					      "::ffff:0.0.0.0"                       },
	{"255.255.255.255:65535",				  "::ffff:255.255.255.255"               },
	{"[2001:db8::5]:443",				      "2001:db8::5"                          },
	{"[2001:db8::5]",					  "2001:db8::5"                          },
	{"2001:db8::5:443",					"2001:db8::5"                          }, /* the last colon splits */
	{"2001:db8:0:0:0:0:0:5:443",                               "2001:db8::5"                          },
	{"2001:db8:0:0:0:0:0:5",				   "2001:db8::5"                          }, /* too short with a port */
	{"fe80::1:ab",					     "fe80::1:ab"                           }, /* "ab" is no port */
	{"fe80::1",						"fe80::1"			      },
	{"::1",						    "::1"				  },
	{"::",						     "::"				   },
	{"::1:8883",					       "::1"				  },
	{"::ffff:10.0.0.1:443",				    "::ffff:10.0.0.1"                      },
	{"::ffff:10.0.0.1",					"::ffff:10.0.0.1"                      },
	{"[::ffff:10.0.0.1]:1",				    "::ffff:10.0.0.1"                      },
	{"0123:4567:89ab:cdef:0123:4567:89ab:cdef:1",              "123:4567:89ab:cdef:123:4567:89ab:cdef"},
	{"2001:DB8::A",					    "2001:db8::a"                          },
	{"",						       NULL				   },
	{":",						      NULL				   },
	{":443",						   NULL				   },
	{"1.2.3:4",						NULL				   },
	{"1.2.3.4.5:6",					    NULL				   },
	{"256.1.1.1:1",					    NULL				   },
	{"01.1.1.1:1",					     NULL				   },
	{"1.2.3.4:",					       NULL				   },
	{"1.2.3.4:65536",					  NULL				   },
	{"1.2.3.4:http",					   NULL				   },
	{"1.2.3.4 :80",					    NULL				   },
	{" 1.2.3.4",					       NULL				   },
	{"1..3.4",						 NULL				   },
	{"1.2.3.4/8",					      NULL				   },
	{"2001:db8:85a3:0:0:8a2",				  NULL                                   }, /* cut at 21 characters */
	{"[2001:db8::5",					   NULL				   },
	{"[2001:db8::5]443",				       NULL				   },
	{"[2001:db8::5]:",					 NULL				   },
	{"[1.2.3.4]:80",					   NULL				   },
	{"[]:80",						  NULL				   },
	{"[",						      NULL				   },
	{"fe80::1%eth0",					   NULL				   },
	{"1:2:3:4:5:6:7:8:9:10",				   NULL                                   },
	{"example.org:80",					 NULL				   },
	{"0123:4567:89ab:cdef:0123:4567:89ab:cdef:0123:4567:89ab", NULL                                   },
};

static void reads_remote_addresses(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(remotes); i++) {
		const struct remote_case *c = &remotes[i];
		struct report_addr got, wanted = {{0}};
		bool is_read = address_of_remote(view_of(c->text), &got);
		if (is_read != (c->addr != NULL))
			fail_msg("\"%s\" is %s", c->text, is_read ? "read" : "not read");
		if (!c->addr)
			continue;
		assert_int_equal(inet_pton(AF_INET6, c->addr, wanted.b), 1);
		if (memcmp(got.b, wanted.b, sizeof(got.b)) != 0)
			fail_msg("\"%s\" is not %s", c->text, c->addr);
	}
}

static const struct bare_case {
	struct view text;
	bool is_address;
} bare[] = {
	{VIEW_INIT("172.0.0.10"),   true },
        {VIEW_INIT("2001:db8::5"),  true },
	{VIEW_INIT("172.0.0.10:1"), false},
        {VIEW_INIT("[::1]"),        false},
	{VIEW_INIT("10.0.0.0/8"),   false},
        {VIEW_INIT(""),             false},
	{VIEW_INIT("::1\0"),        false},
        {VIEW_INIT("::1\0junk"),    false},
	{VIEW_INIT("1.2.3.4\0"),    false},
};

static void reads_bare_addresses(void **state)
{
	(void)state;
	struct report_addr addr;
	for (size_t i = 0; i < ARRAY_LEN(bare); i++) {
		if (address_parse(bare[i].text, &addr) != bare[i].is_address)
			fail_msg("\"%s\"", bare[i].text.p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_remote_addresses),
		cmocka_unit_test(reads_bare_addresses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
