/* wraps: mosquitto_kick_client_by_clientid */
/* The broker cuts nobody whose client id begins with "clinging", and says that it did. A
 * containment of such a session must never be called applied. */
#include <mosquitto.h>
#include <stdbool.h>
#include <string.h>

int __real_mosquitto_kick_client_by_clientid(const char *client_id, bool with_will);
int __wrap_mosquitto_kick_client_by_clientid(const char *client_id, bool with_will);

int __wrap_mosquitto_kick_client_by_clientid(const char *client_id, bool with_will)
{
	if (strncmp(client_id, "clinging", strlen("clinging")) == 0)
		return MOSQ_ERR_SUCCESS;
	return __real_mosquitto_kick_client_by_clientid(client_id, with_will);
}
