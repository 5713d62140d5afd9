/* Section 8 of spec/device-reports.md: examples A to H, with the values that section 7 takes from
 * them. */
#include "read.h"

#define HEADER "\"header\":{\"report_id\":1530304554,\"version\":\"1.0\"}"
#define EXAMPLE_A                                                                                  \
	"{" HEADER ",\"metrics\":{"                                                                \
	"\"listening_tcp_ports\":{\"ports\":[{\"interface\":\"eth0\",\"port\":24800},"             \
	"{\"interface\":\"eth0\",\"port\":22}],\"total\":2},"                                      \
	"\"listening_udp_ports\":{\"ports\":[{\"interface\":\"eth0\",\"port\":5353}],\"total\":1}" \
	","                                                                                        \
	"\"network_stats\":{\"bytes_in\":29358693495,\"bytes_out\":26485035,\"packets_in\":"       \
	"10013573555,"                                                                             \
	"\"packets_out\":11382615},"                                                               \
	"\"tcp_connections\":{\"established_connections\":{\"connections\":[{\"local_interface\":" \
	"\"eth0\","                                                                                \
	"\"local_port\":80,\"remote_addr\":\"192.168.0.1:8000\"}],\"total\":1}}},"                 \
	"\"custom_metrics\":{\"MyMetricOfType_Number\":[{\"number\":1}],"                          \
	"\"MyMetricOfType_NumberList\":[{\"number_list\":[1,2,3]}],"                               \
	"\"MyMetricOfType_StringList\":[{\"string_list\":[\"value_1\",\"value_2\"]}],"             \
	"\"MyMetricOfType_IpList\":[{\"ip_list\":[\"172.0.0.0\",\"172.0.0.10\"]}]}}"

static struct report_addr addr_v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
	return (struct report_addr){
		{[10] = 0xff, 0xff, a, b, c, d}
        };
}

static void assert_addr(struct report_addr got, struct report_addr wanted)
{
	assert_memory_equal(got.b, wanted.b, sizeof(got.b));
}

static void reads_example_a(void **state)
{
	(void)state;
	struct reading r = read_json(EXAMPLE_A);
	const struct report *a = &r.report;
	assert_int_equal(r.result, 0);
	assert_int_equal(a->report_id, 1530304554);
	assert_true(a->tcp.is_present && a->tcp.has_list && a->tcp.has_total);
	assert_int_equal(a->tcp.n, 2);
	assert_int_equal(a->tcp.ports[0], 22);
	assert_int_equal(a->tcp.ports[1], 24800);
	assert_int_equal(a->udp.n, 1);
	assert_int_equal(a->udp.ports[0], 5353);
	assert_int_equal(a->counter[REPORT_BYTES_IN], 29358693495);
	assert_int_equal(a->counter[REPORT_BYTES_OUT], 26485035);
	assert_int_equal(a->counter[REPORT_PACKETS_IN], 10013573555);
	assert_int_equal(a->counter[REPORT_PACKETS_OUT], 11382615);
	assert_int_equal(a->established.n, 1);
	assert_int_equal(a->established.total, 1);
	assert_addr(a->established.remote[0], addr_v4(192, 168, 0, 1));
	reading_free(&r);
}

static void reads_custom_metrics_of_a(void **state)
{
	(void)state;
	struct reading r = read_json(EXAMPLE_A);
	const struct report_custom *c = r.report.custom;
	assert_int_equal(r.report.n_custom, 4);
	assert_true(view_is(c[0].name, "MyMetricOfType_Number"));
	assert_int_equal(c[0].kind, REPORT_NUMBER);
	assert_true(c[0].number == 1);
	assert_int_equal(c[1].kind, REPORT_NUMBER_LIST);
	assert_int_equal(c[1].n, 3);
	assert_true(c[1].numbers[0] == 1 && c[1].numbers[2] == 3);
	assert_int_equal(c[2].kind, REPORT_STRING_LIST);
	assert_true(view_is(c[2].strings[0], "value_1") && view_is(c[2].strings[1], "value_2"));
	assert_int_equal(c[3].kind, REPORT_IP_LIST);
	assert_addr(c[3].addrs[1], addr_v4(172, 0, 0, 10));
	for (unsigned i = 0; i < 4; i++)
		assert_true(c[i].is_storable);
	reading_free(&r);
}

static void reads_short_names(void **state)
{
	(void)state;
	struct reading r = read_json(
		"{\"hed\":{\"rid\":7,\"v\":\"1.0\"},\"met\":{"
		"\"tp\":{\"pts\":[{\"if\":\"eth0\",\"pt\":22}],\"t\":1},"
		"\"up\":{\"pts\":[{\"pt\":53}],\"t\":1},"
		"\"ns\":{\"bi\":1,\"bo\":2,\"pi\":3,\"po\":4},"
		"\"tc\":{\"ec\":{\"cs\":[{\"li\":\"eth0\",\"lp\":80,\"rad\":\"192.168.0.1:8000\"}],"
		"\"t\":9}}},\"cmet\":{\"m\":[{\"number\":-97}]}}");
	assert_int_equal(r.result, 0);
	assert_int_equal(r.report.tcp.ports[0], 22);
	assert_int_equal(r.report.udp.ports[0], 53);
	for (unsigned i = 0; i < REPORT_COUNTERS; i++)
		assert_int_equal(r.report.counter[i], i + 1);
	assert_int_equal(r.report.established.n_listed, 1);
	assert_int_equal(r.report.established.total, 9);
	assert_true(r.report.custom[0].number == -97);
	reading_free(&r);
}

/* B: null interface, IPv6, one port twice, no total of one block, a port without interface. */
static void reads_the_python_agent(void **state)
{
	(void)state;
	struct reading r = read_json(
		"{\"header\":{\"report_id\":1795352685,\"version\":\"1.0\"},\"metrics\":{"
		"\"network_stats\":{\"bytes_in\":30680,\"bytes_out\":15340,\"packets_in\":306,"
		"\"packets_out\":153},"
		"\"tcp_connections\":{\"established_connections\":{\"connections\":["
		"{\"remote_addr\":\"203.0.113.9:8883\",\"local_interface\":\"eth0\",\"local_port\":"
		"44210},"
		"{\"remote_addr\":\"[2001:db8::5]:443\",\"local_interface\":null,\"local_port\":"
		"51544}],\"total\":2}},"
		"\"listening_tcp_ports\":{\"ports\":[{\"port\":22,\"interface\":\"0.0.0.0\"},"
		"{\"port\":22,\"interface\":\"::\"},{\"port\":631,\"interface\":\"lo\"}],\"total\":"
		"3},"
		"\"listening_udp_ports\":{\"ports\":[{\"port\":5353,\"interface\":\"0.0.0.0\"},{"
		"\"port\":68}],"
		"\"total\":2}},\"custom_metrics\":{\"cpu_usage\":[{\"number\":26.1}]}}");
	assert_int_equal(r.result, 0);
	assert_int_equal(r.report.established.n, 2);
	assert_addr(r.report.established.remote[0], addr_v4(203, 0, 113, 9));
	assert_addr(r.report.established.remote[1], (struct report_addr){
							    {0x20, 0x01, 0x0d, 0xb8, [15] = 5}
        });
	assert_int_equal(r.report.tcp.n_listed, 3);
	assert_int_equal(r.report.tcp.n, 2);
	assert_int_equal(r.report.udp.ports[0], 68);
	assert_true(r.report.custom[0].number == 26.1 && r.report.custom[0].is_storable);
	reading_free(&r);
}

static const struct accepted_case {
	const char *what, *json;
} accepted[] = {
	{"B, mixed names",
	 "{\"hed\":{\"rid\":1795352685,\"v\":\"1.0\"},\"met\":{\"tc\":{\"ec\":{\"cs\":[{\"rad\":"
	 "\"203.0.113.9:8883\",\"li\":\"eth0\",\"lp\":44210}],\"t\":1}},\"tp\":{\"pts\":[{\"port\":"
	 "22,\"interface\":\"0.0.0.0\"}],\"t\":1}},\"cmet\":{\"cpu_usage\":[{\"number\":26.1}]}}"             },
	{"C",	      "{\"hed\":{\"rid\":1530305228,\"v\":\"1.0\"},\"met\":{\"tp\":{\"pts\":[{\"pt\":22},{"
	      "\"pt\":631}],\"t\":2},"
	      "\"up\":{\"pts\":[{\"pt\":5353}],\"t\":1},\"ns\":{\"bi\":30680,\"bo\":10652,\"pi\":"
	      "113,\"po\":118},\"tc\":{"
	      "\"ec\":{\"cs\":[{\"rad\":\"203.0.113.9:8883\",\"lp\":44210}],\"t\":1}}}}"         },
	{"D",	      "{\"hed\":{\"rid\":1,\"v\":\"1.0\"},\"met\":{\"tp\":{\"pts\":[{\"pt\":44207},{\"pt\":"
	      "53}],\"t\":2},\"up\":{"
	      "\"pts\":[{\"pt\":41960}],\"t\":1},\"ns\":{\"bi\":1200000,\"bo\":650000,\"pi\":9000,"
	      "\"po\":7000},\"tc\":{"
	      "\"ec\":{\"cs\":[{\"lp\":44207,\"rad\":\"203.0.113.9:8883\"}],\"t\":1}}},\"cmet\":{"
	      "\"uptime\":[{\"number\":"
	      "4411}],\"network_interface_names\":[{\"string_list\":[\"lo\",\"eth0\"]}],"
	      "\"network_interface_addresses\":[{\"ip_list\":[\"127.0.0.1\",\"192.168.1.7\"]}]}}"},
	{"F",	      "{\"header\":{\"report_id\":1695640000,\"version\":\"1.0\"},\"custom_metrics\":{"
	      "\"mobilerssi\":[{\"number\":"
	      "-97}]}}"									  },
	{"only totals",
	 "{\"hed\":{\"rid\":1,\"v\":\"1.0\"},\"met\":{\"tp\":{\"t\":2},\"up\":{\"t\":0},"
	 "\"tc\":{\"ec\":{\"t\":1}}}}"									},
};

static void accepts_the_others(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(accepted); i++) {
		struct reading r = read_json(accepted[i].json);
		if (r.result != 0)
			fail_msg("%s: %s", accepted[i].what, r.refusal.detail);
		reading_free(&r);
	}
}

/* E: UDP listeners stand in the TCP list, the totals are right. */
static void keeps_totals_beside_lists(void **state)
{
	(void)state;
	struct reading r = read_json("{\"header\":{\"report_id\":8214551,\"version\":\"1.0\"},"
				     "\"metrics\":{\"listening_tcp_ports\":{"
				     "\"ports\":[{\"interface\":\"eth0\",\"port\":22},{"
				     "\"interface\":\"eth0\",\"port\":5353}],\"total\":1},"
				     "\"listening_udp_ports\":{\"ports\":[],\"total\":1}}}");
	assert_int_equal(r.result, 0);
	assert_int_equal(r.report.tcp.n, 2);
	assert_int_equal(r.report.tcp.total, 1);
	assert_true(r.report.udp.is_present && r.report.udp.has_list);
	assert_int_equal(r.report.udp.n, 0);
	assert_int_equal(r.report.udp.total, 1);
	assert_false(r.report.established.is_present);
	reading_free(&r);
}

static void rejects_example_g(void **state)
{
	(void)state;
	struct reading r = read_json("{\"header\":{\"report_id\":12334567,\"version\":\"1.0\"},"
				     "\"metrics\":{\"network_stats\":{\"bytes_in\":"
				     "30680,\"bytes_out\":10652,\"packets_in\":113,\"packets_out\":"
				     "118}},\"custom_metrics\":{"
				     "\"my_custom_metric\":{\"number\":0}}}");
	assert_int_equal(r.result, -1);
	assert_string_equal(r.refusal.code, "InvalidPayload");
	assert_string_equal(r.refusal.message, "Malformed metrics report");
	assert_int_equal(r.refusal.report_id, 12334567);
	reading_free(&r);
}

static void reads_example_h(void **state)
{
	(void)state;
	struct reading r = read_cbor_hex(
		"a263686564a2637269641a5b369acc617663312e30636d6574a1626e73a46262691977d862"
		"626f19299c627069187162706f1876");
	static const uint64_t counters[] = {30680, 10652, 113, 118};
	assert_int_equal(r.result, 0);
	assert_int_equal(r.report.report_id, 1530305228);
	for (unsigned i = 0; i < REPORT_COUNTERS; i++)
		assert_int_equal(r.report.counter[i], counters[i]);
	reading_free(&r);
}

/* The C agent's CBOR: indefinite containers, local_port as text, a tag, half and single floats. */
static void reads_every_form_of_cbor(void **state)
{
	(void)state;
	struct reading r = read_cbor_hex(
		"bf"
		"63686564a2637269641a5b369acc617663312e30"                 /* hed */
		"636d6574bf"                                               /* met */
		"627463bf626563bf6263739fbf637261646a312e322e332e343a3830" /* tc ec cs: rad */
		"626c7065343432313067756e6b6e6f776e43010203ffff617401ffff" /* lp "44210", an
										    unknown byte
										    string */
		"627470a1637074739fa162707418a1bf627074c119ffffffff" /* tp pts: 161, a tagged 65535
								      */
		"ff"
		"64636d6574a3616181a1666e756d626572f93e00"           /* a: half 1.5 */
		"616281a1666e756d626572fa41d0cccd"                   /* b: single 26.1 */
		"616381a16b6e756d6265725f6c6973749ff93c0038630203ff" /* c: [1.0, -100, 2, 3] */
		"ff");
	if (r.result != 0)
		fail_msg("%s", r.refusal.detail);
	assert_addr(r.report.established.remote[0], addr_v4(1, 2, 3, 4));
	assert_int_equal(r.report.tcp.n, 2);
	assert_int_equal(r.report.tcp.ports[0], 161);
	assert_int_equal(r.report.tcp.ports[1], 65535);
	assert_true(r.report.custom[0].number == 1.5);
	assert_true(r.report.custom[1].number == (double)26.1F);
	assert_true(r.report.custom[1].is_storable);
	assert_int_equal(r.report.custom[2].n, 4);
	assert_true(r.report.custom[2].numbers[1] == -100);
	reading_free(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_example_a),
		cmocka_unit_test(reads_custom_metrics_of_a),
		cmocka_unit_test(reads_short_names),
		cmocka_unit_test(reads_the_python_agent),
		cmocka_unit_test(accepts_the_others),
		cmocka_unit_test(keeps_totals_beside_lists),
		cmocka_unit_test(rejects_example_g),
		cmocka_unit_test(reads_example_h),
		cmocka_unit_test(reads_every_form_of_cbor),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
