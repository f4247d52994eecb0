// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A child process moves to a new network namespace, tries, and writes what it finds into memory that it shares with
 * its parent. With its end the namespace goes, and all that was made in it. What is tried there may make the kernel
 * load modules, as the rules themselves would.
 */
#include "probes.h"

#include "host/namespace.h"
#include "host/program.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* Loading a dozen modules on a slow machine takes its time; more than this is a hang. */
#define PROBING_SECONDS 60

#define STATUS_NO_NAMESPACE 3

/* Rules, of which nothing but their being taken matters. %s is the carrier. */
static const struct rule_probe {
	enum probe probe;
	const char *program; /* nft, or iptables-restore */
	const char *text;
} rule_probes[] = {
	{ PROBE_NFT, "nft", "table inet p1 {\nchain c {\ntype filter hook forward priority mangle;\n}\n}\n" },
	{ PROBE_NFT_HELPER, "nft",
	  "table inet p2 {\nct helper h {\ntype \"%s\" protocol tcp;\n}\nchain c {\n"
	  "type filter hook prerouting priority mangle;\ntcp dport 21 ct helper set \"h\"\n}\n}\n" },
	{ PROBE_NFT_QUEUE, "nft", "table inet p3 {\nchain c {\nqueue num 0 bypass\n}\n}\n" },
	{ PROBE_NFT_LOCAL, "nft",
	  "table inet p4 {\nchain c {\ntype filter hook postrouting priority mangle;\n"
	  "fib saddr type local accept\n}\n}\n" },
	{ PROBE_NFT_PAYLOAD, "nft", "table inet p5 {\nchain c {\ntcp dport 21 @ih,0,8 >= 0 accept\n}\n}\n" },
	{ PROBE_XT_HELPER, "iptables-restore", "*raw\n-A OUTPUT -p tcp --dport 2 -j CT --helper %s\nCOMMIT\n" },
	{ PROBE_XT_QUEUE, "iptables-restore",
	  "*mangle\n-A OUTPUT -p tcp --dport 2 -j NFQUEUE --queue-num 0 --queue-bypass\nCOMMIT\n" },
	{ PROBE_XT_LOCAL, "iptables-restore",
	  "*mangle\n-A POSTROUTING -m addrtype --src-type LOCAL -j ACCEPT\nCOMMIT\n" },
	{ PROBE_XT_PAYLOAD, "iptables-restore",
	  "*mangle\n-A FORWARD -m bpf --bytecode \"1,6 0 0 0\" -m connmark --mark 0x1/0x1 -j ACCEPT\nCOMMIT\n" },
};

static void try_rule(struct probes *probes, const struct rule_probe *rule, const char *carrier)
{
	char complaint[PROGRAM_COMPLAINT_MAX] = "";
	int error = probe_rules(rule->program, rule->text, carrier, complaint);

	probe_set(probes, rule->probe, error == 0, complaint);
}

/* In the child. */
static void probe_and_exit(struct probes *probes, const char *carrier, unsigned int wanted)
{
	bool alike;

	alarm(PROBING_SECONDS);
	if (namespace_enter_net(&alike) < 0)
		_exit(STATUS_NO_NAMESPACE);
	/* Whether that is done depends on whose the network namespace is. */
	if (!alike) {
		probe_skip(probes, PROBE_BIT(PROBE_MANGLE), "it takes CAP_SYS_ADMIN");
		wanted &= ~PROBE_BIT(PROBE_MANGLE);
	}
	for (size_t i = 0; i < sizeof(rule_probes) / sizeof(rule_probes[0]); i++) {
		if (wanted >> rule_probes[i].probe & 1)
			try_rule(probes, &rule_probes[i], carrier);
	}
	probes_packets_try(probes, carrier, wanted);
	_exit(0);
}

static int probe_in_child(struct probes *probes, const char *carrier, unsigned int wanted)
{
	int status = 0;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child == 0)
		probe_and_exit(probes, carrier, wanted);
	if (child < 0)
		return -errno;
	while (waitpid(child, &status, 0) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	if (WIFSIGNALED(status))
		return -ETIMEDOUT;
	return WEXITSTATUS(status) == STATUS_NO_NAMESPACE ? -EPERM : 0;
}

int probes_run(struct probes *probes, const char *carrier, unsigned int wanted)
{
	struct probes *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int error;

	if (shared == MAP_FAILED)
		return -errno;
	error = probe_in_child(shared, carrier, wanted);
	*probes = *shared;
	munmap(shared, sizeof(*shared));
	return error;
}

bool probes_changed_are_dropped(const char *carrier)
{
	const unsigned int wanted = PROBE_BIT(PROBE_NFT_QUEUE) | PROBE_BIT(PROBE_XT_QUEUE) | PROBE_BIT(PROBE_MANGLE);
	struct probes probes = { 0 };

	return !namespace_net_is_first_users() && probes_run(&probes, carrier, wanted) == 0 &&
	       probes.result[PROBE_MANGLE].outcome == PROBE_NO;
}
