/* thingward: one program, a subcommand a row (running.md). */
#include "daemon/command.h"

#include <locale.h>
#include <stdio.h>
#include <string.h>

static const struct command commands[] = {
	{"adopt",        "[MOSQUITTO.CONF]",        "Say what a running Mosquitto needs to be observed",
	 "Reads a configuration of Mosquitto with all that it includes (default\n"
	 "/etc/mosquitto/mosquitto.conf), and says option by option what stays, what changes, what "
	 "would be\n"
	 "refused once enforced, what the plugin cannot work with, and the cure. Prints the lines "
	 "to add, in\n"
	 "observe mode. Nothing is written but with --write. Exit code 3 when the plugin cannot "
	 "work with it.\n\n"
	 "  thingward adopt /etc/mosquitto/mosquitto.conf --data-dir DIR",			   cmd_adopt       },
	{"clones",       "",			"List client ids that two connections fight for",
	 "For each client id whose session was taken over: is it a clone, two devices set up "
	 "alike (a\n"
	 "twin), or a link that breaks? With both ends and the signs that speak for it.\n\n"
	 "  thingward clones --json --data-dir DIR",						 cmd_clones      },
	{"clock",        "advance SECONDS",         "Move a manual clock on",
	 "Only with clock.mode=manual: server time moves on, timers fire and windows close before "
	 "the\n"
	 "command returns. Prints the new time in milliseconds.",				    cmd_clock       },
	{"containment",  "[ID]",                    "Say whether brokers obey what was taken away",
	 "Every change that takes something from a device (a certificate deactivated, a policy "
	 "detached,\n"
	 "a thing put into a quarantine) is followed to the brokers: requested, applied, verified "
	 "or\n"
	 "ineffective, with the evidence and the time it took. Newest first; an id shows one "
	 "whole.\n\n"
	 "  thingward containment 12 --data-dir DIR",						cmd_containment },
	{"doctor",       "",			"Check the installation and say the cure",
	 "Checks owners and modes, the store, the snapshot, and what the daemon says of the "
	 "broker\n"
	 "link, the clock and itself. Exit code 1 when something is wrong.",			 cmd_doctor      },
	{"init",         "",			"Make a data directory",
	 "Makes settings, an issuing CA for devices, a server certificate, mosquitto.conf with "
	 "the\n"
	 "plugin, and the first access key. The key is printed once, or taken from the "
	 "environment:\n"
	 "THINGWARD_ROOT_ACCESS_KEY_ID and THINGWARD_ROOT_SECRET_ACCESS_KEY.\n\n"
	 "  thingward init --data-dir /var/lib/thingward --host mqtt.example.com",		   cmd_init        },
	{"key",          "create|list|delete [ID]", "Manage access keys",
	 "Works with and without the daemon, as the account that runs it.\n\n"
	 "  thingward key create --role operator --out operator.key --data-dir DIR\n"
	 "  thingward key delete TWAK... --data-dir DIR",					    cmd_key         },
	{"log",          "api",                     "Show who changed what",
	 "Prints the administrator trail: time, key, address, operation, target, result, detail.",   cmd_log         },
	{"serve",        "",			"Run the daemon in the foreground",
	 "Logs on stderr. SIGHUP reads the settings again, SIGTERM finishes what is under way and "
	 "stops.",										   cmd_serve       },
	{"settings",     "",                        "List every setting with its value",
	 "Sources, later wins: the settings file, the environment as THINGWARD_SECTION_KEY, --set.", cmd_settings    },
	{"why-denied",   "",                        "Say why clients were refused, by which rule, and the cure",
	 "Answers from the ledger of refusals, newest first: when, how often, who, from where, "
	 "what "
	 "was\n"
	 "asked, the policy, version and statement that decided or the grant that is missing. Name "
	 "one of\n"
	 "--client, --certificate, --address and --thing, or none for all. Exit code 4 when there "
	 "is "
	 "none.\n\n"
	 "  thingward why-denied --client pump-7 --data-dir DIR\n"
	 "  thingward why-denied --address 192.0.2.7 --since 7d --json --data-dir DIR",	      cmd_why_denied  },
	{"would-refuse", "",                        "List what observed listeners would refuse, by device",
	 "On a listener in observe mode nothing is refused, but what would be is written down. "
	 "Devices come\n"
	 "first that would lose most. An empty list over a time in which every device was seen "
	 "says "
	 "that the\n"
	 "listener may be enforced. With --fail-on-any the exit code is 3 when there is one.\n\n"
	 "  thingward would-refuse --since 7d --data-dir DIR",				       cmd_would_refuse},
};

static void print_help(void)
{
	(void)printf("Usage: thingward COMMAND [OPTION...]\n\n"
		     "Security for MQTT devices on Eclipse Mosquitto, with the API of AWS IoT "
		     "Device Defender.\n\n"
		     "Commands:\n");
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		(void)printf("  %-12s %s\n", commands[i].name, commands[i].summary);
	(void)printf(
		"\nEvery command takes --data-dir DIR, --config FILE and --set SECTION.KEY=VALUE;\n"
		"`thingward COMMAND --help` tells the rest.\n\n"
		"First steps:\n"
		"  thingward init --data-dir DIR       make certificates, settings and the first "
		"key\n"
		"  mosquitto -c DIR/mosquitto.conf     start the broker\n"
		"  thingward serve --data-dir DIR      start the daemon\n"
		"  aws --endpoint-url http://127.0.0.1:8080 iot list-things\n");
}

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	}
	return NULL;
}

static enum exit_code run(int argc, char **argv, const struct root_key *root_key)
{
	const char *name = argc > 1 ? argv[1] : "--help";
	if (strcmp(name, "--version") == 0) {
		(void)printf("thingward %s\n", THINGWARD_VERSION);
		return EXIT_OK;
	}
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
		print_help();
		return argc > 1 ? EXIT_OK : EXIT_USAGE;
	}
	const struct command *command = find_command(name);
	if (!command) {
		complain("there is no command %s; `thingward --help` lists them", name);
		return EXIT_USAGE;
	}
	struct call_line line = {argc - 1, argv + 1, root_key};
	return command->run(command, &line);
}

int main(int argc, char **argv)
{
	struct root_key root_key;
	(void)setlocale(LC_CTYPE, "C.UTF-8"); /* NOLINT(concurrency-mt-unsafe): no thread yet */
	settings_take_root_key(&root_key);
	enum exit_code code = run(argc, argv, &root_key);
	root_key_clear(&root_key);
	return (int)code;
}
