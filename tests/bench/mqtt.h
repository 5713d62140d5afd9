/* As much of an MQTT 3.1.1 client as the benchmarks and load tests need: the cheapest one, so that
 * what is measured is the broker. One connection, over TLS or plain; what is queued leaves with
 * mqtt_flush. A broken connection ends the program: a benchmark without all its devices has no
 * result. */
#ifndef BENCH_MQTT_H
#define BENCH_MQTT_H

#include "base/compiler.h"
#include "base/view.h"

#include <openssl/ssl.h>
#include <stdint.h>
#include <sys/types.h>

#define MQTT_BUFFER 65536

struct mqtt {
	const char *name; /* the client id, borrowed */
	int fd;
	SSL *ssl; /* NULL: plain */
	uint16_t packet_id;
	size_t in_n, out_n;
	uint8_t in[MQTT_BUFFER], out[MQTT_BUFFER];
};

/* Says what failed, with errno and OpenSSL's errors, and ends the program. */
void bench_die(const char *what) NO_RETURN;

/* CPU seconds that a process has taken. */
double bench_cpu_s(pid_t pid);

/* A context that trusts the server's CA, with DIR/NAME.pem and DIR/NAME.key. */
SSL_CTX *mqtt_credentials(const char *ca, const char *dir, const char *name);
/* The same for dev000, dev001 and so on, n of them and a NULL. */
SSL_CTX **mqtt_fleet_credentials(const char *ca, const char *dir, unsigned n);
void mqtt_free_credentials(SSL_CTX **tls);

/* Connects to 127.0.0.1:port, over TLS when there is a context, as client `name`; returns when the
 * broker has agreed. The descriptor is non-blocking from then on. */
void mqtt_connect(struct mqtt *m, unsigned port, SSL_CTX *tls, const char *name);
/* The same where the broker may refuse: 0, the code of its CONNACK, or -1 when it ended the
 * connection without one. In each case mqtt_close is due. */
int mqtt_try_connect(struct mqtt *m, unsigned port, SSL_CTX *tls, const char *name);
/* Ends the connection without a word. */
void mqtt_close(struct mqtt *m);
void mqtt_subscribe(struct mqtt *m, const char *filter, int qos);
void mqtt_publish(struct mqtt *m, struct view topic, struct view payload, int qos);
void mqtt_flush(struct mqtt *m);

typedef void mqtt_message_fn(void *ctx, struct mqtt *m, struct view topic, struct view payload);

/* Reads until there is no more, hands out each message and acknowledges those that want it. What
 * that queued has left on return. */
void mqtt_read(struct mqtt *m, mqtt_message_fn *fn, void *ctx);

#endif
