/* What connecting costs the broker: CPU of a TLS connect with a client certificate, and memory of a
 * connection that is held.
 *
 *     bench_connect PORT CA DIR DEVICES HELD PID
 *
 * DIR holds dev000.pem, dev000.key and so on. First each device connects and leaves, ROUNDS times;
 * then HELD clients hold0, hold1 ... connect with the certificate of dev000 and stay; 0: none do.
 * Prints one line of JSON: how many connects these were, CPU time of process PID for one, and the
 * bytes that it grew by for each of the second half of those held: the first half fills what the
 * allocator has to spare. That counts only where the broker has not held so many before. */
#include "mqtt.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define ROUNDS 3

struct bench {
	unsigned port, n, n_held;
	const char *ca, *dir;
	pid_t broker;
};

/* ---- Connects ---- */

static void connect_all(const struct bench *b, struct mqtt *m, SSL_CTX *const *tls)
{
	for (unsigned i = 0; i < b->n; i++) {
		char name[16];
		(void)snprintf(name, sizeof(name), "dev%03u", i);
		mqtt_connect(m, b->port, tls[i], name);
		mqtt_close(m);
	}
}

static double connect_cpu_s(const struct bench *b, struct mqtt *m, SSL_CTX *const *tls)
{
	connect_all(b, m, tls); /* warm */
	double before = bench_cpu_s(b->broker);
	for (unsigned i = 0; i < ROUNDS; i++)
		connect_all(b, m, tls);
	return (bench_cpu_s(b->broker) - before) / (ROUNDS * b->n);
}

/* ---- Memory ---- */

static double resident_bytes(pid_t pid)
{
	char path[64];
	unsigned long size, resident;
	(void)snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
	FILE *f = fopen(path, "r");
	if (!f || fscanf(f, "%lu %lu", &size, &resident) != 2)
		bench_die(path);
	(void)fclose(f);
	return (double)resident * (double)sysconf(_SC_PAGESIZE);
}

/* Connections from..to-1, which stay until the program ends. */
static void hold(const struct bench *b, SSL_CTX *tls, unsigned from, unsigned to)
{
	for (unsigned i = from; i < to; i++) {
		struct mqtt *m = malloc(sizeof(*m));
		char name[16];
		if (!m)
			bench_die("memory");
		(void)snprintf(name, sizeof(name), "hold%u", i);
		mqtt_connect(m, b->port, tls, name);
		free(m); /* its descriptor and its TLS session stay */
	}
}

static double held_bytes(const struct bench *b, SSL_CTX *tls)
{
	unsigned half = b->n_held / 2;
	if (!half)
		return 0;
	hold(b, tls, 0, half);
	double before = resident_bytes(b->broker);
	hold(b, tls, half, b->n_held);
	return (resident_bytes(b->broker) - before) / (b->n_held - half);
}

/* ---- The command ---- */

int main(int argc, char **argv)
{
	static struct mqtt m;
	struct rlimit files;
	if (argc != 7) {
		(void)fprintf(stderr, "usage: bench_connect PORT CA DIR DEVICES HELD PID\n");
		return 2;
	}
	const struct bench b = {(unsigned)atoi(argv[1]),
				(unsigned)atoi(argv[4]),
				(unsigned)atoi(argv[5]),
				argv[2],
				argv[3],
				(pid_t)atoi(argv[6])};
	if (getrlimit(RLIMIT_NOFILE, &files) < 0 || b.n == 0 || b.n > 1000)
		bench_die("arguments");
	files.rlim_cur = files.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &files);
	SSL_CTX **tls = mqtt_fleet_credentials(b.ca, b.dir, b.n);
	double connect_s = connect_cpu_s(&b, &m, tls);
	(void)printf("{\"connects\": %u, \"connect_cpu_us\": %.3f, \"held_bytes\": %.1f}\n",
		     (1 + ROUNDS) * b.n, 1e6 * connect_s, held_bytes(&b, tls[0]));
	mqtt_free_credentials(tls);
	return 0;
}
