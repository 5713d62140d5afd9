/* Behaviors of a security profile: what makes one valid, and how it goes to the evaluator
 * (spec/detect.md sections 1 and 4; the rules by metric stand in model/metrics.tbl.h).
 *
 * What the evaluator of this version does not do yet (cloud-side and custom metrics, dimensions,
 * statistical and learned criteria) is refused with a message that says so; nothing is stored that
 * would be left unwatched. */
#ifndef REGISTRY_BEHAVIOR_H
#define REGISTRY_BEHAVIOR_H

#include "base/compiler.h"
#include "registry/settings.h"

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

struct behavior_rules {
	const struct registry_settings *settings;
	/* exportMetric needs the profile's metricsExportConfig; where no profile is known
	 * (ValidateSecurityProfileBehaviors) it is not asked for. */
	bool may_export;
};

/* Checks a list of API shape Behavior and appends a text to `errors` for each behavior at fault:
 * "Behavior <name> is malformed. <detail>". Valid: nothing is appended. */
void behaviors_check(const json_t *behaviors, const struct behavior_rules *rules, json_t *errors);

/* Checks one of additionalMetricsToRetain(V2): a metric, with the dimension given or NULL. Returns
 * NULL, or what is wrong; the caller frees it with g_free. */
char *retained_metric_check(const char *metric, const json_t *dimension);

/* Appends a valid behavior to a configuration (detect/config.h). 0, or -EBADMSG when it is not
 * valid. */
int behavior_encode(const json_t *behavior, GByteArray *config) MUST_USE;

#endif
