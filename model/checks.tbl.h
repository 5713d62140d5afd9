/* AUDIT_CHECK(name, severity, resource type, identifier, parameter, min, max, default, source, judge)
 *
 * The audit checks (spec/audit.md section 1). `identifier` is the member of ResourceIdentifier that names the resource, also in
 * suppressions (section 8). `parameter` is the one setting of a check, a decimal number, or NULL. `source` says where the
 * resources come from and `judge` is the check itself (audit/check.h); without them the check is not available in this
 * version: it is listed, and enabling it is refused. Order: alphabetical. */
AUDIT_CHECK("AUTHENTICATED_COGNITO_ROLE_OVERLY_PERMISSIVE_CHECK", "CRITICAL", "COGNITO_IDENTITY_POOL",
	    "cognitoIdentityPoolId", NULL, 0, 0, 0, NULL, NULL)
AUDIT_CHECK("CA_CERTIFICATE_EXPIRING_CHECK", "MEDIUM", "CA_CERTIFICATE",
	    "caCertificateId", NULL, 0, 0, 0, NULL, NULL)
AUDIT_CHECK("CA_CERTIFICATE_KEY_QUALITY_CHECK", "CRITICAL", "CA_CERTIFICATE",
	    "caCertificateId", NULL, 0, 0, 0, NULL, NULL)
AUDIT_CHECK("CONFLICTING_CLIENT_IDS_CHECK", "HIGH", "CLIENT_ID",
	    "clientId", NULL, 0, 0, 0, NULL, NULL)
AUDIT_CHECK("DEVICE_CERTIFICATE_AGE_CHECK", "LOW", "DEVICE_CERTIFICATE",
	    "deviceCertificateId", "CERT_AGE_THRESHOLD_IN_DAYS", 30, 3652, 365, NULL, NULL)
AUDIT_CHECK("DEVICE_CERTIFICATE_EXPIRING_CHECK", "MEDIUM", "DEVICE_CERTIFICATE",
	    "deviceCertificateId", "CERT_EXPIRATION_THRESHOLD_IN_DAYS", 30, 3652, 30,
	    source_certificates, check_certificate_expiring)
AUDIT_CHECK("DEVICE_CERTIFICATE_KEY_QUALITY_CHECK", "CRITICAL", "DEVICE_CERTIFICATE",
	    "deviceCertificateId", NULL, 0, 0, 0, NULL, NULL)
AUDIT_CHECK("DEVICE_CERTIFICATE_SHARED_CHECK", "CRITICAL", "DEVICE_CERTIFICATE",
	    "deviceCertificateId", NULL, 0, 0, 0, NULL, NULL)
AUDIT_CHECK("INTERMEDIATE_CA_REVOKED_FOR_ACTIVE_DEVICE_CERTIFICATES_CHECK", "CRITICAL", "ISSUER_CERTIFICATE",
	    "issuerCertificateIdentifier", NULL, 0, 0, 0, NULL, NULL)
AUDIT_CHECK("IOT_POLICY_OVERLY_PERMISSIVE_CHECK", "CRITICAL", "IOT_POLICY",
	    "policyVersionIdentifier", NULL, 0, 0, 0,
	    source_policies, check_policy_permissive)
AUDIT_CHECK("IOT_POLICY_POTENTIAL_MISCONFIGURATION_CHECK", "MEDIUM", "IOT_POLICY",
	    "policyVersionIdentifier", NULL, 0, 0, 0, NULL, NULL)
AUDIT_CHECK("IOT_ROLE_ALIAS_ALLOWS_ACCESS_TO_UNUSED_SERVICES_CHECK", "MEDIUM", "ROLE_ALIAS",
	    "roleAliasArn", NULL, 0, 0, 0, NULL, NULL)
AUDIT_CHECK("IOT_ROLE_ALIAS_OVERLY_PERMISSIVE_CHECK", "CRITICAL", "ROLE_ALIAS",
	    "roleAliasArn", NULL, 0, 0, 0, NULL, NULL)
AUDIT_CHECK("LOGGING_DISABLED_CHECK", "LOW", "ACCOUNT_SETTINGS",
	    "account", NULL, 0, 0, 0,
	    source_logging, check_logging_disabled)
AUDIT_CHECK("REVOKED_CA_CERTIFICATE_STILL_ACTIVE_CHECK", "CRITICAL", "CA_CERTIFICATE",
	    "caCertificateId", NULL, 0, 0, 0, NULL, NULL)
AUDIT_CHECK("REVOKED_DEVICE_CERTIFICATE_STILL_ACTIVE_CHECK", "MEDIUM", "DEVICE_CERTIFICATE",
	    "deviceCertificateId", NULL, 0, 0, 0, NULL, NULL)
AUDIT_CHECK("UNAUTHENTICATED_COGNITO_ROLE_OVERLY_PERMISSIVE_CHECK", "CRITICAL", "COGNITO_IDENTITY_POOL",
	    "cognitoIdentityPoolId", NULL, 0, 0, 0, NULL, NULL)
