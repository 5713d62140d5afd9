/* Device certificates: issued or registered, their status, their end (spec section 3; security S27,
 * S28). */
#ifndef REGISTRY_CERTIFICATE_H
#define REGISTRY_CERTIFICATE_H

#include "registry/registry.h"
#include "x509/x509.h"

struct certificate {
	char *status, *mode, *generation_id;
	int64_t not_before, not_after; /* seconds */
	int64_t created, modified;     /* milliseconds */
	int64_t version;
};
void certificate_clear(struct certificate *certificate);

/* Ids are lower case here; certificate_id makes them so. */
void certificate_id(const char *id, char out[X509_ID_SIZE]);
int certificate_get(struct registry *r, const char *id, struct certificate *ret) MUST_USE;
/* Its PEM text, the caller's (g_free). */
int certificate_pem(struct registry *r, const char *id, char **ret) MUST_USE;
/* 0 when it exists, or -1 with FAULT_RESOURCE_NOT_FOUND. */
int certificate_check(struct registry *r, const char *id) MUST_USE;

/* Issues one from the device CA, for a new key pair or for a CSR, and does not store it: that takes
 * too long for a transaction, and r->db is not used. *ret is the caller's, as x509.h says.
 * FAULT_INVALID_REQUEST: issuing is off, or the CSR is unfit; FAULT_SERVICE_UNAVAILABLE: the CA
 * cannot be read. */
int certificate_issue_key(struct registry *r, struct x509_key_pair *ret) MUST_USE;
int certificate_issue_csr(struct registry *r, const char *csr, char **ret_pem) MUST_USE;
/* Stores one that was issued. */
int certificate_add_issued(struct registry *r, const char *pem, bool is_active,
			   char ret_id[X509_ID_SIZE]) MUST_USE;

/* Stores one of whatever issuer, status ACTIVE, INACTIVE or REVOKED. FAULT_CERTIFICATE_VALIDATION:
 * no certificate, or a weak key; FAULT_RESOURCE_ALREADY_EXISTS: known already;
 * FAULT_INVALID_REQUEST: another status. */
int certificate_register(struct registry *r, const char *pem, const char *status,
			 char ret_id[X509_ID_SIZE]) MUST_USE;

/* FAULT_INVALID_REQUEST: a status that nobody may set; FAULT_CERTIFICATE_STATE: the present one is
 * final or a transfer's. */
int certificate_set_status(struct registry *r, const char *id, const char *status) MUST_USE;

/* FAULT_CERTIFICATE_STATE: still ACTIVE; FAULT_DELETE_CONFLICT: attached to things, or, unless
 * is_forced, to policies. */
int certificate_delete(struct registry *r, const char *id, bool is_forced) MUST_USE;

struct certificate_item {
	const char *id, *status, *mode;
	int64_t created;
};
typedef int certificate_item_fn(const struct certificate_item *item, void *ctx);
int certificate_list(struct registry *r, const struct list_place *place, int64_t limit,
		     certificate_item_fn *fn, void *ctx) MUST_USE;

#endif
