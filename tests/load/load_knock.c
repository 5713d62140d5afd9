/* Clients that knock: each connects with a client id of its own, hears what the broker says, and
 * leaves.
 *
 *     load_knock [-r RATE] [-t THREADS] PORT CA DIR CERTS COUNT PREFIX
 *
 * COUNT connects at RATE a second in all, 0: as fast as it goes, by THREADS (1). Connect i has
 * certificate i of CERTS in turn, DIR/dev000.pem and .key and so on; CERTS 0: over plain TCP.
 * Client ids are PREFIX and eight digits that look random and do not repeat. Prints one line of
 * JSON: how many were accepted, refused by CONNACK, and ended without one, and the seconds it took.
 */
#include "mqtt.h"

#include <getopt.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define THREADS_MAX 16
#define CERTS_MAX   1000
#define SCATTER     2654435761U /* odd: i * SCATTER takes every value once */
#define NS_A_SECOND 1000000000U

struct knock {
	unsigned port, certs, count, rate, threads;
	const char *ca, *dir, *prefix;
	SSL_CTX **tls;
	struct timespec start;
	atomic_uint next, accepted, refused, ended;
};

/* When connect i is due. */
static void await_turn(const struct knock *k, unsigned i)
{
	if (!k->rate)
		return;
	uint64_t ns = (uint64_t)i * NS_A_SECOND / k->rate + (uint64_t)k->start.tv_nsec;
	struct timespec due = {.tv_sec = k->start.tv_sec + (time_t)(ns / NS_A_SECOND),
			       .tv_nsec = (long)(ns % NS_A_SECOND)};
	(void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
}

static void knock_once(struct knock *k, struct mqtt *m, unsigned i)
{
	char name[64];
	(void)snprintf(name, sizeof(name), "%s%08x", k->prefix, i * SCATTER);
	int code = mqtt_try_connect(m, k->port, k->certs ? k->tls[i % k->certs] : NULL, name);
	mqtt_close(m);
	atomic_fetch_add(code == 0 ? &k->accepted : code > 0 ? &k->refused : &k->ended, 1);
}

static void *run(void *ctx)
{
	struct knock *k = ctx;
	struct mqtt *m = malloc(sizeof(*m));
	if (!m)
		bench_die("memory");
	for (unsigned i; (i = atomic_fetch_add(&k->next, 1)) < k->count;) {
		await_turn(k, i);
		knock_once(k, m, i);
	}
	free(m);
	return NULL;
}

static void run_all(struct knock *k)
{
	pthread_t threads[THREADS_MAX];
	(void)clock_gettime(CLOCK_MONOTONIC, &k->start);
	for (unsigned i = 0; i < k->threads; i++) {
		if (pthread_create(&threads[i], NULL, run, k) != 0)
			bench_die("pthread_create");
	}
	for (unsigned i = 0; i < k->threads; i++)
		(void)pthread_join(threads[i], NULL);
}

static void print_result(const struct knock *k)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	double seconds = (double)(now.tv_sec - k->start.tv_sec) +
			 (double)(now.tv_nsec - k->start.tv_nsec) / NS_A_SECOND;
	(void)printf("{\"accepted\": %u, \"refused\": %u, \"ended\": %u, \"seconds\": %.3f}\n",
		     k->accepted, k->refused, k->ended, seconds);
}

static bool take_arguments(struct knock *k, int argc, char **argv)
{
	for (int option; (option = getopt(argc, argv, "r:t:")) != -1;) {
		if (option == '?')
			return false;
		*(option == 'r' ? &k->rate : &k->threads) = (unsigned)atoi(optarg);
	}
	if (argc - optind != 6)
		return false;
	k->port = (unsigned)atoi(argv[optind]);
	k->ca = argv[optind + 1];
	k->dir = argv[optind + 2];
	k->certs = (unsigned)atoi(argv[optind + 3]);
	k->count = (unsigned)atoi(argv[optind + 4]);
	k->prefix = argv[optind + 5];
	return k->threads > 0 && k->threads <= THREADS_MAX && k->certs <= CERTS_MAX;
}

int main(int argc, char **argv)
{
	struct knock k = {.threads = 1};
	if (!take_arguments(&k, argc, argv)) {
		(void)fprintf(stderr, "usage: load_knock [-r RATE] [-t THREADS] PORT CA DIR CERTS "
				      "COUNT PREFIX\n");
		return 2;
	}
	k.tls = mqtt_fleet_credentials(k.ca, k.dir, k.certs);
	run_all(&k);
	print_result(&k);
	mqtt_free_credentials(k.tls);
	return 0;
}
