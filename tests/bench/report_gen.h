/* The report of the benchmarks: 1.2 KB of JSON with long names, 15 datapoints, as AWS's agents send
 * them. Values vary, and come from a seed. The report id stands first, in 13 digits (the first is
 * never 0). */
#ifndef TESTS_REPORT_GEN_H
#define TESTS_REPORT_GEN_H

#include <stdint.h>
#include <stdio.h>

static inline uint64_t gen_next(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static inline unsigned gen_below(uint64_t *seed, unsigned n)
{
	return (unsigned)(gen_next(seed) % n);
}

static inline size_t report_gen(char *out, size_t cap, uint64_t *seed, uint64_t report_id)
{
	static const unsigned tcp[] = {22, 80, 443, 8883, 9100}, udp[] = {53, 67, 123, 5353};
	size_t n = 0;
#define GEN(...) n += (size_t)snprintf(out + n, cap - n, __VA_ARGS__)
	GEN("{\"header\":{\"report_id\":%llu,\"version\":\"1.0\"},\"metrics\":{\"listening_tcp_"
	    "ports\":{\"ports\":[",
	    (unsigned long long)report_id);
	for (unsigned i = 0; i < 5; i++)
		GEN("%s{\"interface\":\"eth0\",\"port\":%u}", i ? "," : "",
		    tcp[i] + gen_below(seed, 4));
	GEN("],\"total\":5},\"listening_udp_ports\":{\"ports\":[");
	for (unsigned i = 0; i < 4; i++)
		GEN("%s{\"interface\":\"eth0\",\"port\":%u}", i ? "," : "",
		    udp[i] + gen_below(seed, 4));
	GEN("],\"total\":4},\"network_stats\":{\"bytes_in\":%u,\"bytes_out\":%u,\"packets_in\":%u,"
	    "\"packets_out\":%u},",
	    gen_below(seed, 100000000), gen_below(seed, 50000000), gen_below(seed, 100000),
	    gen_below(seed, 80000));
	GEN("\"tcp_connections\":{\"established_connections\":{\"connections\":[");
	for (unsigned i = 0; i < 4; i++)
		GEN("%s{\"local_interface\":\"eth0\",\"local_port\":%u,\"remote_addr\":\"192.168.%"
		    "u.%u:%u\"}",
		    i ? "," : "", 32768 + gen_below(seed, 28000), gen_below(seed, 255),
		    gen_below(seed, 255), 1024 + gen_below(seed, 60000));
	GEN("],\"total\":4}}},\"custom_metrics\":{\"cpu_load\":[{\"number\":%u.%02u}],\"mem_used_"
	    "kb\":[{\"number\":%u}],",
	    gen_below(seed, 100), gen_below(seed, 100), gen_below(seed, 4000000));
	GEN("\"temp_c\":[{\"number\":%u.%u}],\"disk_free_mb\":[{\"number\":%u}],\"core_load\":[{"
	    "\"number_list\":[%u,%u,%u,%u]}],",
	    20 + gen_below(seed, 60), gen_below(seed, 10), gen_below(seed, 32000),
	    gen_below(seed, 100), gen_below(seed, 100), gen_below(seed, 100), gen_below(seed, 100));
	GEN("\"fw\":[{\"string_list\":[\"kernel-6.1.0\",\"app-2.14.%u\"]}],\"dns\":[{\"ip_list\":["
	    "\"10.0.0.%u\",\"10.0.1.%u\"]}]}}",
	    gen_below(seed, 9), gen_below(seed, 255), gen_below(seed, 255));
#undef GEN
	return n;
}

#endif
