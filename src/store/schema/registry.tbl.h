/* The registry's tables (registry/). Times are milliseconds since the epoch, but validity (not_before, not_after) is in
 * seconds as in the snapshot. JSON columns are compact with sorted keys; "" stands for absent, never NULL.
 *
 *   thing_group.num    unique for ever (registry_counter), so that alarms and profiles may keep it; ascending from parent to child
 *   group_above        a group and each of its ancestors, itself included; never changes, since a parent is set at creation
 *   thing_principal    which certificates are attached to a thing; is_exclusive: the certificate is on no other thing
 *   certificate_facts  what policies can ask of a certificate (policy/facts.h); by itself, so that a walk needs no PEM
 *   certificate_walk   lets the snapshot's walk pass by the PEM texts (8 times faster at 100,000 certificates)
 *   policy_attachment  target_kind is the type in the target's ARN: 'cert' (target: id) or 'thinggroup' (target: name)
 */
SCHEMA(1, MAIN, "create table registry_counter ("
	"name TEXT not null primary key, value INT not null) STRICT")
SCHEMA(1, MAIN, "create table thing ("
	"name TEXT not null primary key, id TEXT not null, attributes TEXT not null, billing_group TEXT not null, "
	"version INT not null, created INT not null) STRICT")
SCHEMA(1, MAIN, "create table thing_group ("
	"num INT not null primary key, name TEXT not null unique, id TEXT not null, parent INT not null, "
	"depth INT not null, description TEXT not null, attributes TEXT not null, version INT not null, "
	"created INT not null) STRICT")
SCHEMA(1, MAIN, "create index thing_group_parent on thing_group (parent, name)")
SCHEMA(1, MAIN, "create table group_above ("
	"num INT not null, above INT not null, primary key (num, above)) STRICT")
SCHEMA(1, MAIN, "create index group_above_above on group_above (above, num)")
SCHEMA(1, MAIN, "create table group_member ("
	"thing TEXT not null, num INT not null, primary key (thing, num)) STRICT")
SCHEMA(1, MAIN, "create index group_member_num on group_member (num, thing)")
SCHEMA(1, MAIN, "create table certificate ("
	"id TEXT not null primary key, status TEXT not null, pem TEXT not null, mode TEXT not null, "
	"subject TEXT not null, issuer TEXT not null, serial TEXT not null, ski TEXT not null, aki TEXT not null, "
	"key_type TEXT not null, key_bits INT not null, is_ca INT not null, "
	"not_before INT not null, not_after INT not null, created INT not null, modified INT not null, "
	"version INT not null, generation_id TEXT not null) STRICT")
SCHEMA(1, MAIN, "create index certificate_created on certificate (created, id)")
SCHEMA(1, MAIN, "create index certificate_walk on certificate (id, status, not_before, not_after)")
SCHEMA(1, MAIN, "create table certificate_facts (certificate TEXT not null primary key, facts BLOB not null) STRICT")
SCHEMA(1, MAIN, "create table policy ("
	"name TEXT not null primary key, default_version INT not null, newest_version INT not null, "
	"created INT not null, modified INT not null, generation_id TEXT not null) STRICT")
SCHEMA(1, MAIN, "create index policy_created on policy (created, name)")
SCHEMA(1, MAIN, "create table policy_version ("
	"policy TEXT not null, version INT not null, document TEXT not null, program BLOB not null, "
	"created INT not null, primary key (policy, version)) STRICT")
SCHEMA(1, MAIN, "create table policy_attachment ("
	"target_kind TEXT not null, target TEXT not null, policy TEXT not null, created INT not null, "
	"primary key (target_kind, target, policy)) STRICT")
SCHEMA(1, MAIN, "create index policy_attachment_policy on policy_attachment (policy, target_kind, target)")
SCHEMA(1, MAIN, "create table thing_principal ("
	"thing TEXT not null, certificate TEXT not null, is_exclusive INT not null, "
	"primary key (thing, certificate)) STRICT")
SCHEMA(1, MAIN, "create index thing_principal_certificate on thing_principal (certificate, thing, is_exclusive)")
SCHEMA(1, MAIN, "create table logging_options ("
	"one INT not null primary key, role_arn TEXT not null, default_level TEXT not null, is_disabled INT not null, "
	"events TEXT not null) STRICT")
SCHEMA(1, MAIN, "create table logging_level ("
	"target_type TEXT not null, target_name TEXT not null, level TEXT not null, "
	"primary key (target_type, target_name)) STRICT")
