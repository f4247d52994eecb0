// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What iptables-save, ip6tables-save and nft say of rules, of any bytes, and what that means for FTP: each finding has a sentence of printable
 * characters, chains and rules refer to what there is. The programs are this file's own, as in tests/unit/test_findings.c, and so is all that would be
 * asked of this machine.
 *
 * An input is a byte that says how, then what each program says, with a byte 0 between.
 */
#include "fuzz.h"
#include "host/attach.h"
#include "host/helper.h"
#include "host/module.h"
#include "host/program.h"
#include "host/route_rules.h"
#include "host/sysctl.h"
#include "ruleset/findings.h"
#include "ruleset/found_read.h"

#include <errno.h>

enum { SAVE, SAVE6, LIST, PROGRAMS };

static char *said[PROGRAMS]; /* NULL: there is no such program */
static uint8_t how;

int __wrap_program_run(const char *const argv[], const char *input, char **output, char *complaint);
bool __wrap_module_is_loaded(const char *name);
int __wrap_attach_adopt_module(struct attach *attach);
int __wrap_helper_look(struct helper *helper);
int __wrap_sysctl_number(const char *name);
int __wrap_route_rules_read(struct route_rule *rules, size_t room);

int __wrap_program_run(const char *const argv[], const char *input, char **output, char *complaint)
{
	const char *text = strcmp(argv[0], "nft") == 0		  ? said[LIST] :
			   strcmp(argv[0], "ip6tables-save") == 0 ? said[SAVE6] :
			   strcmp(argv[0], "iptables-save") == 0  ? said[SAVE] :
								    NULL;

	(void)input;
	if (complaint)
		complaint[0] = '\0';
	if (!text)
		return -ENOENT;
	if (output) {
		*output = strdup(text);
		MUST(*output);
	}
	return 0;
}

bool __wrap_module_is_loaded(const char *name)
{
	return how & 1 && strcmp(name, MODULE_NAME) == 0;
}

int __wrap_attach_adopt_module(struct attach *attach)
{
	if (!(how & 1))
		return -ENOENT;
	attach->mark = attach->mark_mask = 0x200000;
	return 0;
}

int __wrap_helper_look(struct helper *helper)
{
	*helper = (struct helper){ .known = how & 2, .enabled = how & 4 };
	return 0;
}

int __wrap_sysctl_number(const char *name)
{
	(void)name;
	return how >> 3 & 1;
}

int __wrap_route_rules_read(struct route_rule *rules, size_t room)
{
	if (!(how & 16) || !room)
		return 0;
	rules[0] = (struct route_rule){ .priority = 5210, .mark = 0x80000, .mask = 0xff0000 };
	return 1;
}

ONLY_CHECKS static void check_text(const char *text, size_t room, bool needed)
{
	MUST(memchr(text, '\0', room));
	MUST(!needed || text[0]);
	for (; *text; text++)
		MUST(*text >= ' ' && *text <= '~');
}

static void check_found(const struct found *found)
{
	for (const struct found_rule *rule = found->rules; rule; rule = rule->next) {
		const struct found_chain *chain = found->chains;

		while (chain && chain != rule->chain)
			chain = chain->next;
		MUST(chain && rule->asked_count <= FOUND_ASKED_MAX);
		MUST(rule->verdict <= FOUND_OFFLOAD && rule->ports <= FOUND_PORTS_OTHER);
	}
}

static void check_findings(const struct findings *findings)
{
	char command[REQUEST_COMMAND_MAX];

	for (unsigned int kind = 0; kind < FINDING_KINDS; kind++) {
		const struct finding *finding = &findings->wrong[kind];

		check_text(finding->text, sizeof(finding->text), finding->seen);
		check_text(finding->remedy, sizeof(finding->remedy), finding->seen && !finding->harmless);
	}
	MUST(findings->ports.count >= 1 && findings->ports.count <= PORTS_MAX);
	check_text(findings->helper, sizeof(findings->helper), false);
	check_text(findings->assigning, sizeof(findings->assigning), false);
	check_text(request_apply(&findings->request, command), sizeof(command), true);
}

static void look(bool present)
{
	static const struct request request = {
		.attach = { .queues.given = true },
		.carrier = ATTACH_CARRIER,
		.ports = PORTS_DEFAULT,
		.interface_count = 1,
		.zone = -1,
	};
	const struct attach asked = { .mark = 0x200000, .mark_mask = 0x200000 };
	static struct findings findings;
	struct found found = { .ports = &request.ports };

	MUST(found_read(&found) == 0);
	MUST(found.readable || !found.rules || said[LIST]);
	findings_of(&findings, &found, &request, present ? NULL : &asked);
	check_found(&found);
	check_findings(&findings);
	found_free(&found);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { data, size };

	how = input_byte(&input);
	for (unsigned int i = 0; i < PROGRAMS; i++) {
		const uint8_t *end = input.left && i + 1 < PROGRAMS ? memchr(input.at, '\0', input.left) : NULL;
		const size_t length = end ? (size_t)(end - input.at) : input.left;

		said[i] = length ? strndup((const char *)input.at, length) : NULL;
		input.at += length;
		input.left -= length;
		(void)input_byte(&input);
	}
	look(how & 32);
	for (unsigned int i = 0; i < PROGRAMS; i++)
		free(said[i]);
	return 0;
}
