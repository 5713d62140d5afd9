/* Certificates of things (spec section 3, "Attachments"): many to many, unless a certificate is
 * held exclusively. */
#ifndef REGISTRY_PRINCIPAL_H
#define REGISTRY_PRINCIPAL_H

#include "registry/registry.h"

/* Thing and certificate must exist (FAULT_RESOURCE_NOT_FOUND). Attaching again succeeds; it may
 * turn into an exclusive one when the certificate has no other thing. FAULT_INVALID_REQUEST: the
 * certificate is held exclusively, or is_exclusive and it has another thing. */
int principal_attach(struct registry *r, const char *thing, const char *certificate,
		     bool is_exclusive) MUST_USE;
/* Detaching what is not attached succeeds. */
int principal_detach(struct registry *r, const char *thing, const char *certificate) MUST_USE;

enum principal_filter { PRINCIPAL_ANY, PRINCIPAL_NON_EXCLUSIVE, PRINCIPAL_EXCLUSIVE };
typedef int principal_fn(const char *name, bool is_exclusive, void *ctx);
/* A thing's certificates by id; a certificate's things by name. What is asked for must exist. */
int principal_each_certificate(struct registry *r, const char *thing, enum principal_filter filter,
			       const char *after, int64_t limit, principal_fn *fn,
			       void *ctx) MUST_USE;
int principal_each_thing(struct registry *r, const char *certificate, enum principal_filter filter,
			 const char *after, int64_t limit, principal_fn *fn, void *ctx) MUST_USE;

#endif
